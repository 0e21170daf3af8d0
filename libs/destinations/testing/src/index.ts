export * from './contract-suite';
export * from './fault-proxy';
export * from './stub-server';
