import '../backend-cpu/dist/index.js';
import { randn, randint, memoryStats, manualSeed } from '../core/dist/index.js';
import * as nn from '../nn/dist/index.js';
import * as optim from '../optim/dist/index.js';
manualSeed(0);
const model = new nn.Sequential(new nn.Conv2d(1,6,5,{padding:2}), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Conv2d(6,16,5), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(400,120), new nn.ReLU(), new nn.Linear(120,84), new nn.ReLU(), new nn.Linear(84,10));
const opt = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
const x = randn([64,1,28,28]); const y = randint(10,[64]);
const lossFn = new nn.CrossEntropyLoss();
const step = () => { opt.zeroGrad(); const l = lossFn(model(x), y); l.backward(); opt.step(); return l; };
for (let i=0;i<20;i++) step();
let tf=0,tb=0,to=0; const N=60;
for (let i=0;i<N;i++){ opt.zeroGrad(); let s=performance.now(); const l = lossFn(model(x), y); let a=performance.now(); l.backward(); let b=performance.now(); opt.step(); let c=performance.now(); tf+=a-s; tb+=b-a; to+=c-b; }
console.log('fwd',(tf/N).toFixed(2),'bwd',(tb/N).toFixed(2),'opt',(to/N).toFixed(2),'ms', memoryStats('cpu'));
const before = memoryStats('cpu').storages; const l = lossFn(model(x), y); const mid = memoryStats('cpu').storages; l.backward(); console.log('storages', before, mid, memoryStats('cpu').storages, await l.item());
