import { gcsOwnerSteps } from './gcs-owner-steps';

describe('gcsOwnerSteps', () => {
  it('grants the two roles that hold storage.objects.* and storage.buckets.get, on this bucket only', () => {
    const steps = gcsOwnerSteps({
      bucket: 'didomi-cmp-bucket',
      clientEmail: 'exports@didomi-cmp.iam.gserviceaccount.com',
      projectId: 'didomi-cmp',
    });
    const grants = steps.map(({ code }) => code).filter((code) => code.includes('add-iam-policy-binding'));
    const command =
      'gcloud storage buckets add-iam-policy-binding gs://didomi-cmp-bucket --member=serviceAccount:exports@didomi-cmp.iam.gserviceaccount.com';
    expect(grants).toEqual([
      `${command} --role=roles/storage.objectAdmin --project=didomi-cmp`,
      `${command} --role=roles/storage.legacyBucketReader --project=didomi-cmp`,
    ]);
  });

  it('cannot be made to run another command by a value', () => {
    const steps = gcsOwnerSteps({ bucket: "x'; rm -rf ~; '", clientEmail: '$(id)', projectId: '`id`' });
    for (const { code } of steps) {
      // What remains outside of single quotes is ours.
      expect(code.replaceAll(/'[^']*'|\\'/g, '')).not.toMatch(/[;$`]|\brm\b/);
    }
  });
});
