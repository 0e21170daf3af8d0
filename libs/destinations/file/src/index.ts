export { FileDestinationOptions, openFileDestination } from './open-file-destination';
export { openFileReader } from './open-file-reader';
