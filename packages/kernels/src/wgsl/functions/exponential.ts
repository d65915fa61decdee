import {
  copySign,
  expTail,
  logTail,
  polynomial,
  reduceByLn2,
  type WgslFunction,
} from './function.js';

/** Exponentials, logarithms, powers and hyperbolic functions. */
export const exponential: Record<string, WgslFunction> = {
  ldexp: {
    code: `fn f_ldexp(p:f32,k:i32)->f32{let h=k>>1u;
return p*bitcast<f32>((h+127)<<23u)*bitcast<f32>((k-h+127)<<23u);}`,
  },
  exp: {
    needs: ['ldexp', 'isnan'],
    code: `fn f_expparts(x:f32)->vec2f{let c=clamp(x,-104.0,90.0);
${reduceByLn2}
return vec2f(r+r*r*(${expTail}),k);}
fn f_expscaled(x:f32,s:i32)->f32{let p=f_expparts(x);
return select(f_ldexp(1.0+p.x,i32(p.y)+s),x,f_isnan(x));}
fn f_exp(x:f32)->f32{return f_expscaled(x,0);}`,
  },
  exp2: {
    needs: ['ldexp', 'isnan'],
    code: `fn f_exp2(x:f32)->f32{let c=clamp(x,-150.0,129.0);
let k=round(c);let r=(c-k)*0.6931471805599453;
return select(f_ldexp(1.0+(r+r*r*(${expTail})),i32(k)),x,f_isnan(x));}`,
  },
  expm1: {
    needs: ['exp', 'isnan'],
    code: `fn f_expm1(x:f32)->f32{
if(x>30.0||f_isnan(x)){return f_exp(x);}
if(abs(x)<1e-8){return x;}
let c=max(x,-20.0);
${reduceByLn2}
let s=bitcast<f32>((i32(k)+127)<<23u);
return s*(r+r*r*(${expTail}))+(s-1.0);}`,
  },
  // x = (1 + f) * 2^e with 1 + f in [sqrt(1/2), sqrt(2)); denormals are scaled as integers.
  logparts: {
    code: `fn f_logparts(x:f32)->vec2f{
var u=bitcast<u32>(x);var e=-127;
if(u<0x800000u){u=bitcast<u32>(f32(u));e=-276;}
u+=0x4afb0du;
e+=i32(u>>23u);
return vec2f(bitcast<f32>((u&0x7fffffu)+0x3f3504f3u)-1.0,f32(e));}`,
  },
  logcore: {
    code: `fn f_logcore(f:f32)->f32{let s=f/(2.0+f);let z=s*s;let h=0.5*f*f;
return f-(h-s*(h+z*(${logTail})));}`,
  },
  logfix: {
    needs: ['inf', 'nan'],
    code: `fn f_logfix(x:f32,y:f32)->f32{let u=bitcast<u32>(x);
if((u&0x7fffffffu)==0u){return -f_inf();}
if(u>=0x7f800000u){return select(f_nan(),x,u==0x7f800000u);}
return y;}`,
  },
  log: {
    needs: ['logparts', 'logcore', 'logfix'],
    code: `fn f_logplus(x:f32,c:f32)->f32{let p=f_logparts(x);
return f_logfix(x,p.y*0.693145751953125+(f_logcore(p.x)+(p.y*1.428606765330187e-06+c)));}
fn f_log(x:f32)->f32{return f_logplus(x,0.0);}`,
  },
  log2: {
    needs: ['logparts', 'logcore', 'logfix'],
    code: `fn f_log2(x:f32)->f32{let p=f_logparts(x);let l=f_logcore(p.x);
return f_logfix(x,p.y+(l*1.4426950216293335+l*1.925963033500011e-08));}`,
  },
  log10: {
    needs: ['logparts', 'logcore', 'logfix'],
    code: `fn f_log10(x:f32)->f32{let p=f_logparts(x);
return f_logfix(x,p.y*0.301025390625+(f_logcore(p.x)*0.4342944819032518+p.y*4.605039066518657e-06));}`,
  },
  log1p: {
    needs: ['log', 'logcore'],
    code: `fn f_log1p(x:f32)->f32{
if(x>-0.29&&x<0.41){return f_logcore(x);}
if(x> -0.53&&x<0.0){return -0.4700036346912384+(5.4455027154176605e-09+f_logcore((x+0.375)*1.6));}
if(x>0.0&&x<0.9){return 0.40546509623527527+(1.1872889338349069e-08+f_logcore((x-0.5)/1.5));}
let u=1.0+x;
return f_logplus(u,select(0.0,select((1.0-u)+x,(x-u)+1.0,abs(x)>1.0)/u,x>-1.0&&x<1e7));}`,
  },
  sinh: {
    needs: ['exp', 'expm1'],
    code: `fn f_sinh(x:f32)->f32{let a=abs(x);var y:f32;
if(a<20.0){let t=f_expm1(a);y=0.5*(t+t/(t+1.0));}else{y=f_expscaled(a,-1);}
return ${copySign('y', 'x')};}`,
  },
  cosh: {
    needs: ['exp'],
    code: `fn f_cosh(x:f32)->f32{let a=abs(x);
if(a<20.0){let t=f_exp(a);return 0.5*(t+1.0/t);}
return f_expscaled(a,-1);}`,
  },
  tanh: {
    needs: ['expm1'],
    code: `fn f_tanh(x:f32)->f32{let a=abs(x);var y=1.0;
if(!(a>9.5)){let t=f_expm1(2.0*a);y=t/(t+2.0);}
return ${copySign('y', 'x')};}`,
  },
  asinh: {
    needs: ['log1p', 'log'],
    code: `fn f_asinh(x:f32)->f32{let a=abs(x);var y:f32;
if(a<1e-4){return x;}
if(a<0.7){let z=x*x;return x+x*z*(${polynomial(
      'z',
      [
        -0.1666666567325592, 0.07499939203262329, -0.04462301731109619, 0.030133472755551338,
        -0.020840374752879143, 0.012192689813673496, -0.004015630576759577,
      ],
    )});}
if(a>1e9){y=f_log(a)+0.6931471805599453;}else{y=f_log1p(a+a*a/(1.0+sqrt(a*a+1.0)));}
return select(y,-y,x<0.0);}`,
  },
  acosh: {
    needs: ['log1p', 'log', 'nan'],
    code: `fn f_acosh(x:f32)->f32{
if(!(x>=1.0)){return f_nan();}
if(x>1e9){return f_log(x)+0.6931471805599453;}
let t=x-1.0;
if(t<0.5){let s=sqrt(2.0*t);return s+s*t*(${polynomial(
      't',
      [
        -0.0833333358168602, 0.018749995157122612, -0.0055802189745008945, 0.0018971769604831934,
        -0.0006890681688673794, 0.00023949187016114593, -5.594037065748125e-5,
      ],
    )});}
return f_log1p(t+sqrt(t*(2.0+t)));}`,
  },
  atanh: {
    needs: ['log1p', 'inf', 'nan'],
    code: `fn f_atanh(x:f32)->f32{let a=abs(x);
if(!(a<=1.0)){return f_nan();}
if(a<1e-4){return x;}
if(a<0.5){let z=x*x;return x+x*z*(${polynomial(
      'z',
      [
        0.3333333432674408, 0.19999960064888, 0.14288285374641418, 0.11050830036401749,
        0.0975194051861763, 0.04091623052954674, 0.1562916487455368,
      ],
    )});}
var y=f_inf();if(a<1.0){y=0.5*f_log1p(2.0*a/(1.0-a));}
return select(y,-y,x<0.0);}`,
  },
  sigmoid: {
    needs: ['exp'],
    code: 'fn f_sigmoid(x:f32)->f32{if(x< -10.0){let e=f_exp(x);return e-e*e;}return 1.0/(1.0+f_exp(-x));}',
  },
  // The product of two floats as an exact leading part and the rest. A compiler that fuses what follows into
  // a multiply-add changes nothing, since the leading part is not rounded.
  twoproduct: {
    code: `fn f_upper(a:f32)->f32{return bitcast<f32>(bitcast<u32>(a)&0xfffff000u);}
fn f_twoproduct(a:f32,b:f32)->vec2f{let c=f_upper(a);let e=f_upper(b);
return vec2f(c*e,c*(b-e)+(a-c)*b);}`,
  },
  // 2^(y log2 |x|) with the logarithm in two floats; then the special values of C's pow.
  pow: {
    needs: ['twoproduct', 'logparts', 'ldexp', 'inf', 'nan', 'isnan'],
    code: `fn f_powcore(x:f32,y:f32)->f32{let p=f_logparts(x);let f=p.x;
let d=2.0+f;let dh=f_upper(d);let s=f/d;let sh=f_upper(s);
let sl=(((f-sh*dh)-(s-sh)*dh)-s*((2.0-dh)+f))/d;
let z=s*s;let lo=2.0*sl+s*z*(${logTail});
let a=2.0*s;let t=a+lo;let tl=lo-(t-a);
let l=f_twoproduct(t,1.4426950216293335);
let ll=l.y+(t*1.925963033500011e-08+tl*1.4426950216293335);
let u=p.y+l.x;let ul=(l.x-(u-p.y))+ll;
let v=u+ul;let vl=ul-(v-u);
if(y*v>129.0){return f_inf();}
if(y*v< -152.0){return 0.0;}
let g=f_twoproduct(y,v);let h=g.y+y*vl;
let k=round(g.x+h);let r=((g.x-k)+h)*0.6931471805599453;
return f_ldexp(1.0+(r+r*r*(${expTail})),i32(k));}
fn f_pow(x:f32,y:f32)->f32{
if(y==0.0||x==1.0){return 1.0;}
if(f_isnan(x)||f_isnan(y)){return f_nan();}
let a=abs(x);let b=abs(y);let up=y>0.0;
let whole=floor(b)==b;
let odd=b<16777216.0&&whole&&(i32(b)&1)!=0;
let ua=bitcast<u32>(a);var r:f32;
if(ua==0u||ua==0x7f800000u){r=select(0.0,f_inf(),(ua!=0u)==up);}
else if(x<0.0&&!whole){return f_nan();}
else if(bitcast<u32>(b)==0x7f800000u){r=1.0;if(a!=1.0){r=select(0.0,f_inf(),(a>1.0)==up);}}
else{r=f_powcore(a,y);}
return select(r,-r,odd&&(bitcast<u32>(x)>>31u)!=0u);}`,
  },
  logaddexp: {
    needs: ['max', 'exp', 'log1p', 'isnan'],
    code: `fn f_logaddexp(a:f32,b:f32)->f32{
if(a==b||f_isnan(a)||f_isnan(b)){return f_max(a,b)+0.6931471805599453;}
return max(a,b)+f_log1p(f_exp(-abs(a-b)));}`,
  },
};
