export * from './driver';
export * from './errors';
export * from './keys';
export * from './meter';
export * from './options';
export * from './owner-steps';
export * from './provisioner';
export * from './retry';
