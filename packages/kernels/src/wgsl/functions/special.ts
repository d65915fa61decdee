import { polynomial, type WgslFunction } from './function.js';

/** Error and gamma functions. */
export const special: Record<string, WgslFunction> = {
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
};
