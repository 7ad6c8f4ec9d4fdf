//! The stages' ports on the services: each call takes its time, its units and its money, then acts on the world.

mod frontier;
mod learnt;
mod runs;
mod store;
mod warm;

use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Clock, PortError, PortResult, Wiring};

use crate::cloud::{Cloud, Service};
use crate::parameters::{CALL_ATTEMPTS, CALL_BACKOFF_MS, READ_MS, TRANSACTION_MS, WRITE_MS};
use crate::table::Partition;

/// A request to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Read,
    Write,
    Transaction,
}

impl Request {
    fn ms(self) -> u64 {
        match self {
            Self::Read => READ_MS,
            Self::Write => WRITE_MS,
            Self::Transaction => TRANSACTION_MS,
        }
    }
}

impl Cloud {
    /// Asks the table, and again after a wait where it has no units left; every attempt takes its time.
    async fn asks(&self, request: Request, units: &[(Partition, f64)]) -> PortResult<()> {
        for attempt in 0..CALL_ATTEMPTS {
            self.takes(Service::Table, request.ms()).await;
            if self.takes_units(request, units) {
                return Ok(());
            }
            let longest_ms = (2 * CALL_BACKOFF_MS) << attempt;
            self.timeline.sleep(self.jittered(longest_ms)).await;
        }
        Err(PortError::Unavailable(
            "the table throttled every attempt".to_owned(),
        ))
    }

    fn takes_units(&self, request: Request, units: &[(Partition, f64)]) -> bool {
        let now = self.timeline.now();
        let mut services = self.lock();
        let services = &mut *services;
        for (partition, units) in units {
            let taken = match request {
                Request::Read => services.table.takes_reads(partition, *units, now),
                _ => services.table.takes_writes(partition, *units, now),
            };
            if !taken {
                services.usage.throttles.dynamodb += 1;
                return false;
            }
        }
        let sum: f64 = units.iter().map(|(_, units)| units).sum();
        match request {
            Request::Read => services.usage.read_units += sum,
            _ => services.usage.write_units += sum,
        }
        true
    }

    /// Reads that the caller has made already, in units of one partition key.
    async fn read(&self, of: Partition, units: f64) -> PortResult<()> {
        self.asks(Request::Read, &[(of, units)]).await
    }
}

#[async_trait::async_trait]
impl Clock for Cloud {
    fn now(&self) -> TimeMs {
        self.told()
    }

    async fn pause(&self, ms: u64) {
        self.timeline.sleep(ms).await;
    }
}

impl Wiring for Cloud {
    fn pool(&self) -> foreshard_model::target::Pool {
        self.world.pool()
    }

    fn target(
        &self,
        memory: foreshard_model::units::Mib,
    ) -> Option<foreshard_model::ids::TargetId> {
        self.world.target(memory)
    }
}
