/** What the person who deploys can put right, apart from what is a bug. */

/** Shown by the app as its message alone; a stack of calls says nothing about a missing file or a wrong value. */
export class Problem extends Error {}
