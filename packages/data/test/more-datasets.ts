// Another module of datasets, with a name that the first has too.
import { defineDataset } from '@sconce/data';

export const letters = defineDataset(import.meta.url, (text: string) => [...text], {
  name: 'prepared',
});
