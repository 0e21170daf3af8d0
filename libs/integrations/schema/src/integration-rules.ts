import { findIntegrationType, type IntegrationType, parseAccountId } from '@delivery/integrations/domain';
import type { AuthenticationRequest, CreateIntegrationRequest, UpdateIntegrationRequest } from './integration-requests';

/** One field of a request that is not right, as the error body of the contract lists it. */
export interface FieldFault {
  field: string;
  message: string;
}

/** The rules between fields of a new integration: what its type needs and refuses. All faults at once. */
export function createFaults(request: CreateIntegrationRequest): FieldFault[] {
  const found = findIntegrationType(request.type_id);
  if ('fault' in found) return [{ field: 'type_id', message: found.fault }];
  const { authentication, properties } = request;
  if (found.type.bucketOwner === 'platform') {
    return [
      ...foreignFaults(authentication, ['project_id', 'json_key'], found.type),
      ...(authentication.account_id === undefined ? [missing('authentication.account_id', found.type)] : []),
      ...accountFaults(authentication),
      ...(properties.bucket_name === undefined ? [] : [bucketIsMade()]),
    ];
  }
  return [
    ...foreignFaults(authentication, ['account_id'], found.type),
    ...(authentication.project_id === undefined ? [missing('authentication.project_id', found.type)] : []),
    ...(authentication.json_key === undefined ? [missing('authentication.json_key', found.type)] : []),
    ...(properties.bucket_name === undefined ? [missing('properties.bucket_name', found.type)] : []),
  ];
}

/** The same for a change of an integration of this type. */
export function updateFaults(type: IntegrationType, request: UpdateIntegrationRequest): FieldFault[] {
  const authentication = request.authentication ?? {};
  if (type.bucketOwner === 'organization') return foreignFaults(authentication, ['account_id'], type);
  return [
    ...foreignFaults(authentication, ['project_id', 'json_key'], type),
    ...accountFaults(authentication),
    ...(request.properties?.bucket_name === undefined ? [] : [bucketIsMade()]),
  ];
}

function accountFaults({ account_id: given }: AuthenticationRequest): FieldFault[] {
  if (given === undefined) return [];
  const account = parseAccountId(given);
  return 'fault' in account ? [{ field: 'authentication.account_id', message: account.fault }] : [];
}

/** A credential that the type does not use is refused: taking it silently would keep a secret for nothing. */
function foreignFaults(
  authentication: AuthenticationRequest,
  names: readonly (keyof AuthenticationRequest)[],
  type: IntegrationType,
): FieldFault[] {
  return names
    .filter((name) => authentication[name] !== undefined)
    .map((name) => ({ field: `authentication.${name}`, message: `is not used by ${type.typeId}: leave it out` }));
}

function missing(field: string, type: IntegrationType): FieldFault {
  return { field, message: `is needed for ${type.typeId}` };
}

function bucketIsMade(): FieldFault {
  return {
    field: 'properties.bucket_name',
    message: 'is made for your organization: leave it out',
  };
}
