export { StackError, stackErrorCodes } from './errors';
export type { StackEnvironment } from './environment';
export { stackDir } from './paths';
export { ensureStack, resetStack, stackStatus, stopStack, type PartStatus } from './stack';
