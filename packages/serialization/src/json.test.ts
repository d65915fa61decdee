import { describe, expect, it } from 'vitest';
import { JsonFault, JsonReader } from './safetensors/json.js';

const read = (text: string): unknown => {
  const json = new JsonReader(new TextEncoder().encode(text));
  const value = json.value();
  json.end();
  return value;
};

describe('JSON of headers', () => {
  it.each([
    '0',
    '-0',
    '12',
    '123456789012345',
    '1234567890123456789',
    '-1.5e3',
    '1E2',
    'true',
    'null',
    '""',
    '"a\\n\\u00fc\\"ü🔥"',
    `"${'x'.repeat(300)}"`,
    ' [ 1 , [ ] , { } ] ',
    '{"a":{"b":[1,2]},"":0}',
  ])('%s', (text) => {
    expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
  });

  it.each([
    '',
    '01',
    '1.',
    '.5',
    '+1',
    '1a',
    'nul',
    '[1,]',
    '[1',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '"a',
    '"\\x"',
    '"a\nb"',
    '1 2',
    '{"a":1,"a":2}',
    '['.repeat(40),
  ])('and none that is %s', (text) => {
    expect(() => read(text)).toThrow(JsonFault);
  });
});
