/**
 * What piscina's threads load first; it imports the module that does the work.
 *
 * piscina tries require() before import(). On a Node that can require ES modules, a thread that is ended in the middle
 * of that can take the whole process down ("IsGraphAsync must be used on an instantiated module", a few times in a
 * thousand threads ended while they started; never in a thousand with this file). So the pools name a CommonJS file,
 * and the rest is import() alone.
 */
module.exports = async (task: { readonly file: string; readonly data: unknown }): Promise<unknown> => {
  const loaded = (await import(task.file)) as { default(data: unknown): unknown };
  return loaded.default(task.data);
};
