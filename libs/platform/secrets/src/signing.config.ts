import { Env } from '@delivery/platform/config';
import { Matches } from 'class-validator';

/** The key that signs the manifests of deliveries. */
export class SigningConfig {
  @Env({
    name: 'MANIFEST_SIGNING_KEY',
    description:
      'Ed25519 private key that signs manifests: base64 of its PKCS#8 DER form, ' +
      'made for example by: openssl genpkey -algorithm ed25519 -outform DER | base64',
    example: '<base64, 64 characters>',
    secret: true,
  })
  // The fixed part is the DER header of every Ed25519 private key (RFC 8410 §10.3).
  @Matches(/^MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}$/, {
    message: 'must be the base64 of an Ed25519 private key in PKCS#8 DER form',
  })
  manifestSigningKey: string;
}
