export * from './contract-faults';
export * from './contract-suite';
export * from './fault-proxy';
export * from './local-stores';
export * from './stub-server';
