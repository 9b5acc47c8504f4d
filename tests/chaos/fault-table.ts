/** What came of the cycles of the rig that hurts pairs, kind by kind. */
import type { Ledger, Report } from '../support/checker.js';
import type { Loss, Missing } from '../support/pair-audit.js';

/** One line of the table. */
export interface KindRow {
  readonly kind: string;
  cycles: number;
  faults: number;
  acknowledged: number;
  lost: number;
  /** Attempts that are there twice. */
  duplicates: number;
  slowestHealMs: number;
}

export interface PairFaultsResult {
  readonly rows: readonly KindRow[];
  /** In words. */
  readonly faults: readonly string[];
  /** The most that a master took with it, by kind of fault; measured where nothing promises that it takes nothing. */
  readonly losses: ReadonlyMap<string, Loss>;
  /** Set when kept. */
  readonly folder?: string;
}

/** Of each cycle, what was done in it; of no cycle, what cannot be told. */
const anyKind = 'any';

export class FaultTable {
  readonly #rows = new Map<string, KindRow>();
  readonly #kindOf = new Map<number, string>();
  readonly #faults: string[] = [];
  readonly #lostIds = new Set<string>();
  readonly #losses = new Map<string, Loss>();

  get faultCount(): number {
    return this.#faults.length;
  }

  #row(kind: string): KindRow {
    let row = this.#rows.get(kind);
    if (row === undefined) {
      row = { kind, cycles: 0, faults: 0, acknowledged: 0, lost: 0, duplicates: 0, slowestHealMs: 0 };
      this.#rows.set(kind, row);
    }
    return row;
  }

  begin(cycle: number, kind: string): void {
    this.#kindOf.set(cycle, kind);
    this.#row(kind).cycles++;
  }

  healed(kind: string, ms: number, acknowledged: number): void {
    const row = this.#row(kind);
    row.slowestHealMs = Math.max(row.slowestHealMs, Math.round(ms));
    row.acknowledged += acknowledged;
  }

  fault(kind: string, text: string): void {
    this.#row(kind).faults++;
    this.#faults.push(text);
  }

  /** A message counts once, whoever finds that it is missing. */
  lost(cycle: number, kind: string, missing: readonly Missing[]): void {
    for (const { id, place, phase, instead } of missing) {
      if (this.#lostIds.has(id)) continue;
      this.#lostIds.add(id);
      this.#row(kind).lost++;
      this.fault(kind, `cycle ${cycle}, ${kind}: ${place}, acknowledged in cycle ${phase}: the slave has ${instead}`);
    }
  }

  lossOf(kind: string, { messages, bytes, ms }: Loss): void {
    const most = this.#losses.get(kind) ?? { messages: 0, bytes: 0, ms: 0 };
    this.#losses.set(kind, {
      messages: Math.max(most.messages, messages),
      bytes: Math.max(most.bytes, bytes),
      ms: Math.max(most.ms, ms),
    });
  }

  /** What reading everything back showed at the end of a pair. */
  judged({ faults }: Report, ledger: Ledger, others: readonly string[]): void {
    for (const [what, list] of Object.entries(faults) as [string, string[]][]) {
      for (const fault of list) {
        const id = /[0-9A-F]{32}/.exec(fault)?.[0] ?? '';
        const kind = this.#kindOf.get(ledger.entry(id)?.phase ?? -1) ?? anyKind;
        if (what === 'lost') this.#row(kind).lost++;
        if (what === 'repeated') this.#row(kind).duplicates++;
        this.fault(kind, `${what}: ${fault}`);
      }
    }
    for (const other of others) this.fault(anyKind, other);
  }

  result(): PairFaultsResult {
    const rows = [...this.#rows.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
    return { rows, faults: this.#faults, losses: this.#losses };
  }
}

const columns = ['cycles', 'faults', 'acknowledged', 'lost', 'duplicates', 'slowestHealMs'] as const;
const titles = ['fault kind', 'cycles', 'faults', 'acknowledged', 'lost', 'duplicates', 'slowest heal ms'];

export function formatFaultTable(rows: readonly KindRow[]): string {
  const total: KindRow = {
    kind: 'all',
    cycles: 0,
    faults: 0,
    acknowledged: 0,
    lost: 0,
    duplicates: 0,
    slowestHealMs: 0,
  };
  for (const row of rows) {
    for (const column of columns) {
      total[column] = column === 'slowestHealMs' ? Math.max(total[column], row[column]) : total[column] + row[column];
    }
  }
  const cells = [...rows, total].map(row => [row.kind, ...columns.map(column => String(row[column]))]);
  const widths = titles.map((title, index) => Math.max(title.length, ...cells.map(line => line[index]!.length)));
  const line = (parts: readonly string[]): string =>
    parts.map((part, index) => (index === 0 ? part.padEnd(widths[0]!) : part.padStart(widths[index]!))).join(' | ');
  return [line(titles), widths.map(width => '-'.repeat(width)).join('-|-'), ...cells.map(line)].join('\n');
}
