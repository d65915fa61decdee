import type {} from '@sconce/core';

// Devices that tests register.
declare module '@sconce/core' {
  interface DeviceTypes {
    careless: true;
    counting: true;
    distant: true;
    early: true;
    gpu0: true;
    late: true;
    other: true;
    pieces: true;
    slow: true;
    webgpu_small: true;
    webgpu_tiles: true;
    webgpu_tiny: true;
  }
}
