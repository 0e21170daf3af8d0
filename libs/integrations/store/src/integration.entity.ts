import type {
  IntegrationProperties,
  IntegrationStatus,
  IntegrationTypeId,
  PublicAuthentication,
} from '@delivery/integrations/domain';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('integration')
export class IntegrationEntity {
  @PrimaryColumn('text', { name: 'organization_id' })
  organizationId: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'type_id' })
  typeId: IntegrationTypeId;

  @Column('jsonb')
  authentication: PublicAuthentication;

  @Column('text', { name: 'sealed_credentials', nullable: true })
  sealedCredentials: string | null;

  @Column('jsonb')
  properties: IntegrationProperties;

  @Column('jsonb')
  mappings: object[];

  @Column('boolean')
  enabled: boolean;

  @Column('text')
  status: IntegrationStatus;

  @Column('text', { name: 'created_by' })
  createdBy: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
