//! What tenants may still start.

use async_trait::async_trait;
use foreshard_engine::admit::{Admitted, admit};
use foreshard_model::ids::Tenant;
use foreshard_model::policy::StartRate;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Allowances, PortResult, Taken};

use crate::world::World;

#[async_trait]
impl Allowances for World {
    async fn take_start(&self, tenant: &Tenant, rate: StartRate, now: TimeMs) -> PortResult<Taken> {
        self.write("take_start", |state| {
            let booked = state.booked.get(tenant).copied();
            Ok(match admit(rate, booked, now) {
                Admitted::Wait(ms) => Taken::Wait { ms },
                Admitted::Until(until) => {
                    state.booked.insert(tenant.clone(), until);
                    Taken::Taken
                }
            })
        })
        .await
    }
}
