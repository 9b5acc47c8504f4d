/**
 * Fixed binary layouts declared once, as data, in wire order. Encoders, decoders and the documentation read the table.
 *
 * @example
 * const Unit = layout('ConsumeQueueUnit', { physicalOffset: 'i64', size: 'i32', tagsCode: 'i64' });
 * Unit.size;        // 20
 * Unit.at.size;     // 8: the offset of the field `size`
 */

export const fieldSizes = { i8: 1, i16: 2, u24: 3, i32: 4, i64: 8 } as const;
export type FieldType = keyof typeof fieldSizes;

export interface Layout<Fields extends Record<string, FieldType>> {
  readonly name: string;
  /** Sum of the fields. Units: bytes. */
  readonly size: number;
  readonly fields: Fields;
  /** Offset of each field from the start. Units: bytes. */
  readonly at: { readonly [Name in keyof Fields]: number };
}

export function layout<const Fields extends Record<string, FieldType>>(name: string, fields: Fields): Layout<Fields> {
  const at: Record<string, number> = {};
  let size = 0;
  for (const [field, type] of Object.entries(fields)) {
    at[field] = size;
    size += fieldSizes[type];
  }
  return Object.freeze({ name, size, fields, at: Object.freeze(at) as Layout<Fields>['at'] });
}
