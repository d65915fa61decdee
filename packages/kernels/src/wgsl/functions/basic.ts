import { copySign, type WgslFunction } from './function.js';

/** Numbers compared by their order; what is not a number compares as false. */
function comparison(name: string, sign: string): WgslFunction {
  return {
    needs: ['order'],
    code: `fn f_${name}(a:f32,b:f32)->bool{let p=f_order(a);let q=f_order(b);
return p${sign}q&&max(abs(p),abs(q))<=0x7f800000;}`,
  };
}

/** The greater or the lesser of two; NaN if one of them is. The negative zero is the lesser. */
function extreme(name: string, sign: string): WgslFunction {
  return {
    needs: ['isnan'],
    code: `fn f_${name}(a:f32,b:f32)->f32{let p=bitcast<i32>(a);let q=bitcast<i32>(b);
let first=(p^((p>>31u)&0x7fffffff))${sign}(q^((q>>31u)&0x7fffffff));
return select(select(b,a,first||f_isnan(a)),b,f_isnan(b));}`,
  };
}

/** Special values, integers, remainders and the rounding of stored floats. */
export const basic: Record<string, WgslFunction> = {
  inf: { code: 'fn f_inf()->f32{return bitcast<f32>(P[0].x);}' },
  nan: { code: 'fn f_nan()->f32{return bitcast<f32>(P[0].x|0x400000);}' },
  isnan: {
    code: 'fn f_isnan(x:f32)->bool{return (bitcast<u32>(x)&0x7fffffffu)>0x7f800000u;}',
  },
  nonzero: { code: 'fn f_nonzero(x:f32)->bool{return (bitcast<u32>(x)&0x7fffffffu)!=0u;}' },
  toint: {
    code: 'fn f_toint(x:f32)->i32{return select(i32(-2147483648),i32(x),abs(x)<2147483648.0);}',
  },
  // Devices take denormals for zeros when they compare floats; the order of the bits, made one of integers, does not.
  order: {
    code: 'fn f_order(x:f32)->i32{let b=bitcast<i32>(x);return select(b,i32(-2147483648)-b,b<0);}',
  },
  ceil: {
    code: 'fn f_ceil(x:f32)->f32{let b=bitcast<i32>(x);return select(ceil(x),1f,b>0&&b<0x800000);}',
  },
  floor: {
    code: `fn f_floor(x:f32)->f32{let b=bitcast<u32>(x);
return select(floor(x),-1f,b>0x80000000u&&b<0x80800000u);}`,
  },
  eq: comparison('eq', '=='),
  lt: comparison('lt', '<'),
  le: comparison('le', '<='),
  max: extreme('max', '>='),
  min: extreme('min', '<='),
  idiv: { code: 'fn f_idiv(a:i32,b:i32)->i32{return select(a/b,0,b==0);}' },
  irem: { code: 'fn f_irem(a:i32,b:i32)->i32{return select(a%b,0,b==0);}' },
  // Long division by the bit: every subtraction is exact.
  // Long division of the significands, eight bits at a time; denormals are normalised first.
  fmod: {
    needs: ['nan'],
    code: `fn f_split(u:u32)->vec2i{var m=i32(u&0x7fffffu);var e=i32(u>>23u);
if(e==0){let n=i32(countLeadingZeros(u32(m)))-8;return vec2i(m<<u32(n),1-n);}
return vec2i(m|0x800000,e);}
fn f_fmod(a:f32,b:f32)->f32{
let ua=bitcast<u32>(a)&0x7fffffffu;let ub=bitcast<u32>(b)&0x7fffffffu;
if(ua>=0x7f800000u||ub>0x7f800000u||ub==0u){return f_nan();}
if(ua<ub){return a;}
let x=f_split(ua);let y=f_split(ub);
let d=u32(y.x);var r=u32(x.x)%d;var n=x.y-y.y;
while(n>0){let s=min(n,8);r=(r<<u32(s))%d;n-=s;}
var bits=0u;
if(r!=0u){
let z=i32(countLeadingZeros(r))-8;var e=y.y-z;r=r<<u32(z);
if(e<=0){r=r>>u32(1-e);}else{r=(r&0x7fffffu)|(u32(e)<<23u);}
bits=r;}
return bitcast<f32>(bits|(bitcast<u32>(a)&0x80000000u));}`,
  },
  // A word whose order as an unsigned number is that of the floats, NaN greatest, both zeros equal.
  sortkey: {
    needs: ['isnan'],
    code: `fn f_sortkey(x:f32)->u32{
if(f_isnan(x)){return 0xffffffffu;}
var u=bitcast<u32>(x);
if(u==0x80000000u){u=0u;}
return select(u|0x80000000u,~u,(u>>31u)!=0u);}`,
  },
  mulhi: {
    code: `fn f_mulhi(a:i32,b:i32)->i32{let x=bitcast<u32>(a);let y=bitcast<u32>(b);
let al=x&0xffffu;let ah=x>>16u;let bl=y&0xffffu;let bh=y>>16u;
let m=ah*bl+((al*bl)>>16u);let n=al*bh+(m&0xffffu);
return bitcast<i32>(ah*bh+(m>>16u)+(n>>16u));}`,
  },
  // Narrowing of stored floats, to nearest even.
  float16: {
    needs: ['inf', 'isnan'],
    code: `fn f_float16(x:f32)->f32{
if(f_isnan(x)){return x;}
let a=abs(x);var y:f32;
if(a<6.103515625e-05){y=round(a*16777216.0)*5.960464477539063e-08;}
else if(a>=65520.0){y=f_inf();}
else{let u=bitcast<u32>(a);y=bitcast<f32>((u+0xfffu+((u>>13u)&1u))&0xffffe000u);}
return ${copySign('y', 'x')};}`,
  },
  bfloat16: {
    needs: ['isnan'],
    code: `fn f_bfloat16(x:f32)->f32{
if(f_isnan(x)){return x;}
let u=bitcast<u32>(x);return bitcast<f32>((u+0x7fffu+((u>>16u)&1u))&0xffff0000u);}`,
  },
};
