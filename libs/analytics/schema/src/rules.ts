import type { Interaction } from '@delivery/analytics/domain';
import { dateFaults, type Reason } from '@delivery/consent/schema';

/** What only a decision has. */
const ofDecisions = ['action', 'action_type', 'services'] as const;

/** Rules that no single field's schema can say; the same for both ways of validation. */
export function interactionRules(interaction: Interaction): Reason[] {
  const faults = dateFaults('created_at', interaction.created_at);
  return faults.concat(interaction.type === 'DECISION' ? decisionFaults(interaction) : misplaced(interaction));
}

function decisionFaults({ action, action_type, services, device_id, controller_id }: Interaction): Reason[] {
  const reasons: Reason[] = [];
  if (action === null || action === undefined) reasons.push(missing('action'));
  if (action_type === null || action_type === undefined) reasons.push(missing('action_type'));
  if (!services?.length) {
    const message = 'services must name at least one service that a DECISION is about.';
    reasons.push({ field: 'services', code: 'missing', message });
  }
  if (!device_id && !controller_id) {
    const message = 'A DECISION needs device_id or controller_id: decisions are counted per device.';
    reasons.push({ field: 'device_id', code: 'missing', message });
  }
  return reasons;
}

function missing(field: string): Reason {
  return { field, code: 'missing', message: `${field} is required of a DECISION.` };
}

function misplaced(interaction: Interaction): Reason[] {
  return ofDecisions
    .filter((field) => interaction[field] !== null && interaction[field] !== undefined)
    .map((field) => {
      const message = `${field} belongs to a DECISION only; leave it out of a ${interaction.type}.`;
      return { field, code: 'not_allowed', message };
    });
}
