/** What an app that deploys Foreshard may use. */
export { Api, ROUTES } from './api';
export { propsFromContext } from './context';
export { EXECUTE_TIERS_MIB, ExecuteLadder } from './execute-ladder';
export { Foreshard, type ForeshardProps } from './foreshard';
export { Problem } from './problem';
export { ForeshardStack, type ForeshardStackProps } from './stack';
export { CONTROL_STAGES, type ControlStage, DEFAULT_NAME, STAGES, type Stage } from './stages';
