declare module 'class-transformer/cjs/storage' {
  import type { MetadataStorage } from 'class-transformer/types/MetadataStorage';

  /** Where `@Type` keeps what it was told; class-transformer does not export it from its entry point. */
  export const defaultMetadataStorage: MetadataStorage;
}
