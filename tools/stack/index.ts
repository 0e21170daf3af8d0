export type { StackEnvironment } from './environment';
export { StackError, stackErrorCodes, type StackErrorCode } from './errors';
export { stackDir } from './paths';
export { ensureStack, resetStack, stackStatus, stopStack, type PartStatus, type StackOptions } from './stack';
