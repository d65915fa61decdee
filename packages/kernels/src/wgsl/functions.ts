/**
 * The scalar functions of the expression language in WGSL, for float32. WGSL promises little of its
 * builtins (`sin` to 2^-11, `log` near 1 to 2^-21 absolute) and lets a compiler assume that no NaN or
 * infinity occurs, so all but `sqrt` and the roundings are spelled out: range reduction in parts, a
 * minimax polynomial (fitted with mpmath's chebyfit), and bit tests for the special values.
 */
interface WgslFunction {
  readonly needs?: readonly string[];
  readonly code: string;
}

/** Horner's rule, lowest coefficient first. */
const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((inner, c) => (inner === '' ? `${c}` : `${c}+${x}*(${inner})`), '');

const expTail = polynomial(
  'r',
  [
    0.5, 0.1666666716337204, 0.04166645556688309, 0.00833331048488617, 0.0013934541493654251,
    0.00019891980628017336,
  ],
);
const logTail = polynomial(
  'z',
  [0.6666666865348816, 0.40000128746032715, 0.285499632358551, 0.23353542387485504],
);
const reduceByLn2 = `let k=round(c*1.4426950408889634);
let r=(c-k*0.693145751953125)-k*1.428606765330187e-06;`;

/** A sign moved from one float to another. */
const copySign = (magnitude: string, sign: string): string =>
  `bitcast<f32>(bitcast<u32>(${magnitude})|(bitcast<u32>(${sign})&0x80000000u))`;

const library: Record<string, WgslFunction> = {
  inf: { code: 'fn f_inf()->f32{return bitcast<f32>(P[0].x);}' },
  nan: { code: 'fn f_nan()->f32{return bitcast<f32>(P[0].x|0x400000);}' },
  isnan: {
    code: 'fn f_isnan(x:f32)->bool{return (bitcast<u32>(x)&0x7fffffffu)>0x7f800000u;}',
  },
  nonzero: { code: 'fn f_nonzero(x:f32)->bool{return (bitcast<u32>(x)&0x7fffffffu)!=0u;}' },
  toint: {
    code: 'fn f_toint(x:f32)->i32{return select(i32(-2147483648),i32(x),abs(x)<2147483648.0);}',
  },
  max: {
    needs: ['isnan'],
    code: 'fn f_max(a:f32,b:f32)->f32{return select(select(max(a,b),a,f_isnan(a)),b,f_isnan(b));}',
  },
  min: {
    needs: ['isnan'],
    code: 'fn f_min(a:f32,b:f32)->f32{return select(select(min(a,b),a,f_isnan(a)),b,f_isnan(b));}',
  },
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
  // x - q * pi/2: in four parts where the products are exact, else with 96 bits of 2/pi (Payne and Hanek).
  trig: {
    needs: ['twoproduct'],
    code: `struct Reduced{r:f32,t:f32,q:u32}
fn f_mul64(a:u32,b:u32)->vec2u{let al=a&0xffffu;let ah=a>>16u;let bl=b&0xffffu;let bh=b>>16u;
let m=ah*bl+((al*bl)>>16u);let n=al*bh+(m&0xffffu);
return vec2u(a*b,ah*bh+(m>>16u)+(n>>16u));}
fn f_trig(x:f32)->Reduced{
if(abs(x)<8192.0){let k=round(x*0.6366197723675814);
let w=((x-k*1.5703125)-k*0.0004837512969970703);let y=k*7.549533620476723e-08;
let r=w-y;
return Reduced(r,((w-r)-y)-k*2.5633440682570896e-12,bitcast<u32>(i32(k)));}
var t=array<u32,8>(0u,0xa2f9836eu,0x4e441529u,0xfc2757d1u,0xf534ddc0u,0xdb629599u,0x3c439041u,0xfe5163abu);
let u=bitcast<u32>(x);
let p=((u>>23u)&0xffu)-120u;
let m=(u&0x7fffffu)|0x800000u;let i=min(p>>5u,4u);let s=p&31u;
var w=array<u32,3>();
for(var j=0u;j<3u;j++){w[j]=t[i+j]<<s;if(s>0u){w[j]|=t[i+j+1u]>>(32u-s);}}
let a=f_mul64(m,w[2]);let b=f_mul64(m,w[1]);
let mid=b.x+a.y;
let hi=m*w[0]+b.y+select(0u,1u,mid<b.x);
let f=bitcast<i32>((hi<<2u)|(mid>>30u));
let g=f32(f);let l=f32(f-i32(g))+f32(mid<<2u)*2.3283064365386963e-10;
let h=f_twoproduct(g,3.65729529994141e-10);
let y=h.y+(l*3.65729529994141e-10+g*-1.017735066980541e-17);let v=h.x+y;let d=(h.x-v)+y;
let q=(hi>>30u)+select(0u,1u,f<0);
if((u>>31u)!=0u){return Reduced(-v,-d,0u-q);}
return Reduced(v,d,q);}`,
  },
  sincos: {
    code: `fn f_ksin(r:f32,t:f32)->f32{let z=r*r;return r+(t+r*z*(${polynomial(
      'z',
      [-0.1666666716337204, 0.008333331905305386, -0.00019840039021801203, 2.724378191487631e-6],
    )}));}
fn f_kcos(r:f32,t:f32)->f32{let z=r*r;return 1.0-(0.5*z+(r*t-z*z*(${polynomial(
      'z',
      [0.0416666641831398, -0.0013888279208913445, 2.4542870960431173e-5],
    )})));}`,
  },
  sin: {
    needs: ['trig', 'sincos', 'nan'],
    code: `fn f_sinq(x:f32,q:u32)->f32{
if((bitcast<u32>(x)&0x7fffffffu)>=0x7f800000u){return f_nan();}
if(abs(x)<1e-4&&q==0u){return x;}
let t=f_trig(x);let n=t.q+q;
var y=f_ksin(t.r,t.t);if((n&1u)!=0u){y=f_kcos(t.r,t.t);}
return select(y,-y,(n&2u)!=0u);}
fn f_sin(x:f32)->f32{return f_sinq(x,0u);}`,
  },
  cos: { needs: ['sin'], code: 'fn f_cos(x:f32)->f32{return f_sinq(x,1u);}' },
  tan: {
    needs: ['trig', 'nan'],
    code: `fn f_tan(x:f32)->f32{
if((bitcast<u32>(x)&0x7fffffffu)>=0x7f800000u){return f_nan();}
if(abs(x)<1e-4){return x;}
let t=f_trig(x);let z=t.r*t.r;
let y=t.r+(t.t*(1.0+z)+t.r*z*(${polynomial(
      'z',
      [
        0.3333333432674408, 0.13333344459533691, 0.053964775055646896, 0.021913310512900352,
        0.008595777675509453, 0.004460349678993225, -4.481155338e-5, 0.0018116162391379476,
      ],
    )}));
if((t.q&1u)!=0u){return -1.0/y;}
return y;}`,
  },
  asin: {
    needs: ['nan'],
    code: `fn f_asincore(x:f32)->f32{let z=x*x;return x+x*z*(${polynomial(
      'z',
      [
        0.1666666716337204, 0.07500031590461731, 0.04462650418281555, 0.030700165778398514,
        0.01938524842262268, 0.03215073421597481, -0.0245196595788002, 0.05700717121362686,
      ],
    )});}
fn f_asin(x:f32)->f32{let a=abs(x);
if(!(a<=1.0)){return f_nan();}
if(a<=0.625){return f_asincore(x);}
let y=1.5707963267948966-2.0*f_asincore(sqrt(0.5*(1.0-a)));
return select(y,-y,x<0.0);}`,
  },
  acos: {
    needs: ['asin', 'nan'],
    code: `fn f_acos(x:f32)->f32{let a=abs(x);
if(!(a<=1.0)){return f_nan();}
if(a<=0.5){return 1.5707963267948966-f_asincore(x);}
let y=2.0*f_asincore(sqrt(0.5*(1.0-a)));
return select(y,3.141592653589793-y,x<0.0);}`,
  },
  // The arc tangent of t in [0, 1].
  atancore: {
    code: `fn f_atancore(t:f32)->f32{let z=t*t;return t+t*z*(${polynomial(
      'z',
      [
        -0.3333333432674408, 0.19999949634075165, -0.14284004271030426, 0.11088261753320694,
        -0.08931826800107956, 0.07031914591789246, -0.04896051436662674, 0.026305001229047775,
        -0.00914462935179472, 0.001488691894337535,
      ],
    )});}`,
  },
  atan: {
    needs: ['atancore', 'isnan'],
    code: `fn f_atan(x:f32)->f32{
if(f_isnan(x)){return x;}
let a=abs(x);var y=f_atancore(select(a,1.0/a,a>1.0));
if(a>1.0){y=1.5707963267948966-y;}
return ${copySign('y', 'x')};}`,
  },
  atan2: {
    needs: ['atancore', 'isnan', 'nan'],
    code: `fn f_atan2(y:f32,x:f32)->f32{
if(f_isnan(x)||f_isnan(y)){return f_nan();}
let ax=abs(x);let ay=abs(y);let g=max(ax,ay);let l=min(ax,ay);
var t=l/g;
if(bitcast<u32>(l)==0x7f800000u){t=1.0;}
if(bitcast<u32>(g)==0u){t=0.0;}
var r=f_atancore(t);
if(ay>ax){r=1.5707963267948966-r;}
if((bitcast<u32>(x)>>31u)!=0u){r=3.141592653589793-r;}
return ${copySign('r', 'y')};}`,
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
  // (1 + 2x) exp(x^2) erfc(x) is smooth in (x - 2) / (x + 2); x^2 is split so that its exponential is exact.
  erfctail: {
    needs: ['exp', 'twoproduct'],
    code: `fn f_erfctail(a:f32)->f32{
if(a>10.1){return 0.0;}
let q=(a-2.0)/(a+2.0);
let h=bitcast<f32>(bitcast<u32>(a)&0xfffff000u);
let e=f_expparts(-h*h);let d=(h-a)*(h+a);
let b=q*(${polynomial(
      'q',
      [
        -0.09276378154754639, -0.1660308986902237, 0.16404934227466583, -0.05421013757586479,
        -0.008011153899133205, 0.00865411851555109, 0.0011650713859125972, -0.0012585214572027326,
        -0.000246739131398499,
      ],
    )});let p=f_upper(1.2769783735275269+b);
let w=1.0+2.0*a;let c=p/w;
let m=d+d*d*(0.5+d*(0.16666667+d*0.041666668));let n=((1.2769783735275269-p)+b)/p-((1.0-w)+2.0*a)/w;
let g=e.x+(m+(n+m*n))*(1.0+e.x);
return f_ldexp(c+c*g,i32(e.y));}`,
  },
  erf: {
    needs: ['erfctail', 'isnan'],
    code: `fn f_erf(x:f32)->f32{let a=abs(x);
if(f_isnan(x)){return x;}
if(a<1e-4){return x*1.1283791670955126;}
if(a<1.0){let z=x*x;return x+x*(${polynomial(
      'z',
      [
        0.12837916612625122, -0.3761262595653534, 0.11283594369888306, -0.02685421146452427,
        0.005189087241888046, -0.000801686430349946, 7.875874871388078e-5,
      ],
    )});}
let y=1.0-f_erfctail(a);return select(y,-y,x<0.0);}`,
  },
  erfc: {
    needs: ['erf', 'erfctail'],
    code: `fn f_erfc(x:f32)->f32{
if(x>0.5){return f_erfctail(x);}
return 1.0-f_erf(x);}`,
  },
  erfinv: {
    needs: ['log', 'inf', 'nan'],
    code: `fn f_erfinv(x:f32)->f32{let a=abs(x);
if(!(a<=1.0)){return f_nan();}
if(a==1.0){return select(f_inf(),-f_inf(),x<0.0);}
if(a<1e-4){return x*0.886226925452758;}
if(a<0.63){let z=x*x;return x+x*(${polynomial(
      'z',
      [
        -0.11377307772636414, 0.2320135086774826, 0.12756623327732086, 0.08629962056875229,
        0.06809380650520325, 0.030289428308606148, 0.12638652324676514, -0.14234350621700287,
        0.20889945328235626,
      ],
    )});}
var w=-f_log((1.0-a)*(1.0+a));
if(w<5.0){w-=2.75;return x+x*(${polynomial(
      'w',
      [
        0.5627896189689636, 0.2443302571773529, -0.005036028102040291, -0.0010385854402557015,
        0.000209150486625731, -9.480541848461144e-6, -2.6168997919739923e-6, 4.800043598152115e-7,
        3.3941329746767224e-9, -7.673162549792778e-9,
      ],
    )});}
w=sqrt(w)-3.0;return x*(${polynomial(
      'w',
      [
        2.832976818084717, 1.001674771308899, 0.0094435540959239, -0.0076347338035702705,
        0.0057004173286259174, -0.0036101716104894876, 0.0014519277028739452,
        -2.9263585020089522e-5, -0.0002838337968569249, 9.431827493244782e-5,
      ],
    )});}`,
  },
  // Positive x: shifted into [1.5, 2.5], where lgamma(2 + d) / d is a polynomial, or Stirling's series.
  lgammapos: {
    needs: ['log'],
    code: `fn f_lgammapos(x:f32)->f32{
if(x>=8.0){let i=1.0/x;let z=i*i;
return (x-0.5)*(f_log(x)-1.0)+(0.4189385332046727+i*(0.08333333333333333-z*(0.002777777777777778-z*0.0007936507936507937)));}
var z=x;var p=1.0;
while(z>2.5){z-=1.0;p*=z;}
var q=1.0;
while(z<1.5){q*=z;z+=1.0;}
let d=z-2.0;
let y=d*(${polynomial(
      'd',
      [
        0.42278432846069336, 0.32246702909469604, -0.0673523023724556, 0.020580807700753212,
        -0.007385533303022385, 0.0028905021026730537, -0.0011930547188967466, 0.0005098091787658632,
        -0.00022086982789915055, 9.839697304414585e-5, -5.278721801005304e-5, 2.4154594939318486e-5,
      ],
    )});
if(x>2.5){return y+f_log(p);}
if(x<1.5){return y-f_log(q);}
return y;}`,
  },
  lgamma: {
    needs: ['lgammapos', 'sin', 'inf', 'isnan'],
    code: `fn f_lgamma(x:f32)->f32{
if(f_isnan(x)){return x;}
if((bitcast<u32>(x)&0x7fffffffu)>=0x7f800000u){return f_inf();}
if(abs(x)<0.000244140625){return -f_log(abs(x))-0.5772156649015329*x;}
if(x>0.0){return f_lgammapos(x);}
let f=x-round(x);
if(f==0.0){return f_inf();}
return f_log(3.141592653589793/abs(x*f_sin(3.141592653589793*f)))-f_lgammapos(-x);}`,
  },
  digamma: {
    needs: ['log', 'tan', 'inf', 'nan', 'nonzero'],
    code: `fn f_digamma(v:f32)->f32{var x=v;var r=0.0;
if(!f_nonzero(x)){return select(-f_inf(),f_inf(),bitcast<u32>(x)!=0u);}
if(x<0.0){let f=x-round(x);
if(f==0.0){return f_nan();}
r=-3.141592653589793/f_tan(3.141592653589793*f);x=1.0-x;}
while(x<4.0){r-=1.0/x;x+=1.0;}
let i=1.0/x;let z=i*i;
return r+(f_log(x)-0.5*i-z*(0.08333333333333333-z*(0.008333333333333333-z*(0.003968253968253968-z*0.004166666666666667))));}`,
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

/** The WGSL of the named functions and of what they call, each once, in order. */
export function functionSource(names: Iterable<string>): string {
  const done = new Set<string>();
  let source = '';
  const add = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const entry = library[name] as WgslFunction;
    entry.needs?.forEach(add);
    source += `${entry.code}\n`;
  };
  for (const name of names) add(name);
  return source;
}

/** Whether the library spells out `name`. */
export const hasFunction = (name: string): boolean => name in library;
