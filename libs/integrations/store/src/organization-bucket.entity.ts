import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('organization_bucket')
export class OrganizationBucketEntity {
  @PrimaryColumn('text', { name: 'organization_id' })
  organizationId: string;

  @PrimaryColumn('text')
  kind: 's3';

  @Column('text', { name: 'bucket_name' })
  bucketName: string;

  @Column('text', { name: 'role_arn', nullable: true })
  roleArn: string | null;

  @Column('text', { name: 'account_ids', array: true })
  accountIds: string[];

  @Column('text')
  status: 'allocated' | 'ready';

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}
