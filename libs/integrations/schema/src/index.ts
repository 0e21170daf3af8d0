export * from './examples';
export * from './exports';
export * from './integration-requests';
export * from './integration-responses';
export * from './integration-rules';
export * from './keys';
export * from './organizations';
