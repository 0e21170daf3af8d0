import { type Dataset, DATASETS } from '@delivery/exports/domain';
import {
  delivers,
  findIntegrationType,
  type IntegrationType,
  parseAccountId,
  typeDelivering,
} from '@delivery/integrations/domain';
import type { UpdateIntegrationRequest } from './integration-requests';

/** One field of a request that is not right, as the error body of the contract lists it. */
export interface FieldFault {
  field: string;
  message: string;
}

/**
 * The rules between fields of a new integration: what its type needs and refuses. All faults at once.
 * @param request as it came: of a field that is wrong by itself nothing is said
 */
export function createFaults(request: object): FieldFault[] {
  const typeId: unknown = Reflect.get(request, 'type_id');
  if (typeof typeId !== 'string') return [];
  const found = findIntegrationType(typeId);
  if ('fault' in found) return [{ field: 'type_id', message: found.fault }];
  const needed = (...fields: readonly string[]) => fields.filter((field) => isLeftOut(request, field));
  const missing = (field: string) => ({ field, message: `is needed for ${typeId}` });
  const data = dataFaults(request, found.type);
  if (found.type.bucketOwner === 'organization') {
    return [
      ...data,
      ...foreignFaults(request, ['authentication.account_id'], found.type),
      ...needed('authentication.project_id', 'authentication.json_key', 'properties.bucket_name').map(missing),
    ];
  }
  return [...data, ...platformFaults(request, found.type), ...needed('authentication.account_id').map(missing)];
}

/** The same for a change of an integration of this type. */
export function updateFaults(type: IntegrationType, request: UpdateIntegrationRequest): FieldFault[] {
  return type.bucketOwner === 'organization'
    ? foreignFaults(request, ['authentication.account_id'], type)
    : platformFaults(request, type);
}

function platformFaults(request: object, type: IntegrationType): FieldFault[] {
  const made = { field: 'properties.bucket_name', message: 'is made for your organization: leave it out' };
  return [
    ...foreignFaults(request, ['authentication.project_id', 'authentication.json_key'], type),
    ...accountFaults(request),
    ...(valueOf(request, made.field) === undefined ? [] : [made]),
  ];
}

/** Each type delivers its own; what is no data at all is told by the field's own rule. */
function dataFaults(request: object, type: IntegrationType): FieldFault[] {
  const field = 'properties.data';
  const wished = valueOf(request, field);
  return (Array.isArray(wished) ? wished : [])
    .filter((each: unknown): each is Dataset => typeof each === 'string' && Object.hasOwn(DATASETS, each))
    .filter((each) => !delivers(type, each))
    .map((each) => {
      const other = typeDelivering(each, type);
      const way = other === undefined ? '' : `; for ${each} create an integration of type ${other.typeId}`;
      return { field, message: `must be ["${type.data.join('"] or ["')}"] for ${type.typeId}${way}` };
    });
}

function accountFaults(request: object): FieldFault[] {
  const field = 'authentication.account_id';
  const given = valueOf(request, field);
  const account = typeof given === 'string' ? parseAccountId(given) : undefined;
  return account !== undefined && 'fault' in account ? [{ field, message: account.fault }] : [];
}

/** A credential that the type does not use is refused: taking it silently would keep a secret for nothing. */
function foreignFaults(request: object, fields: readonly string[], type: IntegrationType): FieldFault[] {
  return fields
    .filter((field) => valueOf(request, field) !== undefined)
    .map((field) => ({ field, message: `is not used by ${type.typeId}: leave it out` }));
}

/** Of a part that is no object itself, its own rule says so. */
function isLeftOut(request: object, field: string): boolean {
  return isObject(Reflect.get(request, partOf(field))) && valueOf(request, field) === undefined;
}

function valueOf(request: object, field: string): unknown {
  const part: unknown = Reflect.get(request, partOf(field));
  return isObject(part) ? Reflect.get(part, field.slice(partOf(field).length + 1)) : undefined;
}

function partOf(field: string): string {
  return field.slice(0, field.indexOf('.'));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
