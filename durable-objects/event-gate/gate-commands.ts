import type {
  AdmitCommand,
  BlockTicketsCommand,
  GateConfig,
  GateTicketType,
  HandOverCommand,
  HandOverOutcome,
  RecallTicketsCommand,
  RefuseCommand,
  ScanAnswer,
} from "#domain/gate-messages";

/** What one commit of a gate can hold. */
export type GateCommand =
  | { readonly kind: "configure"; readonly config: GateConfig }
  | { readonly kind: "put_type"; readonly tenantId: string; readonly type: GateTicketType }
  | { readonly kind: "admit"; readonly scan: AdmitCommand }
  | { readonly kind: "refuse"; readonly scan: RefuseCommand }
  | { readonly kind: "recall"; readonly recall: RecallTicketsCommand }
  | { readonly kind: "block"; readonly block: BlockTicketsCommand }
  | { readonly kind: "hand_over"; readonly handOver: HandOverCommand };

/** `not_here`: this gate belongs to no event of that tenant. */
export type GateOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "not_here" }
  | { readonly kind: "answered"; readonly answer: ScanAnswer }
  | { readonly kind: "handed_over"; readonly outcome: HandOverOutcome };

/** The tickets that must be known before the command can be decided; '' for a code that was not ours. */
export function ticketIdsOf(command: GateCommand): readonly string[] {
  switch (command.kind) {
    case "configure":
    case "put_type":
      return [];
    case "recall":
      return command.recall.ticketIds;
    case "block":
      return command.block.ticketIds;
    case "hand_over":
      return [command.handOver.ticketId];
    case "admit":
    case "refuse":
      return [command.scan.ticketId ?? ""];
  }
}
