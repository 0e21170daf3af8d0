import { CRC32C } from '@google-cloud/storage';
import fc from 'fast-check';
import { Crc32c } from './crc32c';

function crc32c(...pieces: Uint8Array[]): string {
  const crc = new Crc32c();
  for (const piece of pieces) crc.update(piece);
  return crc.toString();
}

describe('Crc32c', () => {
  it('gives the check value of the catalogue of CRCs', () => {
    expect(Buffer.from(crc32c(Buffer.from('123456789')), 'base64').toString('hex')).toBe('e3069283');
    expect(crc32c()).toBe('AAAAAA==');
  });

  it("agrees with the SDK's on any bytes, however they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const reference = new CRC32C();
        reference.update(Buffer.from(bytes));
        expect(crc32c(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(reference.toString());
      }),
    );
  });
});
