/** Watches a deployment: metrics from its logs, alarms, a dashboard. */
import { Construct } from 'constructs';
import { AlarmTopic } from './alarm-topic';
import { Alarms } from './alarms';
import { Dashboard } from './dashboard';
import type { Encryption } from './encryption';
import type { Foreshard } from './foreshard';
import { countInLogs } from './run-metrics';
import { CONTROL_STAGES } from './stages';

export interface MonitoringProps {
  readonly foreshard: Foreshard;
  readonly encryption: Encryption;
  readonly alarmTopic?: string;
  readonly alarmEmail?: string;
}

/** Nothing here is needed to run anything: it can be left out, and an emulator may skip it. */
export class Monitoring extends Construct {
  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { foreshard } = props;
    const groups = CONTROL_STAGES.map((stage) => [stage, foreshard.stages[stage].logGroup]);
    countInLogs(foreshard.name, Object.fromEntries(groups));
    const { actions } = new AlarmTopic(this, 'Topic', {
      name: foreshard.name,
      topic: props.alarmTopic,
      email: props.alarmEmail,
      encryption: props.encryption,
    });
    const { alarms } = new Alarms(this, 'Alarms', { foreshard, actions });
    new Dashboard(this, 'Dashboard', { foreshard, alarms });
  }
}
