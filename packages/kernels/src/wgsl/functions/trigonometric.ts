import { copySign, polynomial, type WgslFunction } from './function.js';

/** Trigonometric functions and their inverses. */
export const trigonometric: Record<string, WgslFunction> = {
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
};
