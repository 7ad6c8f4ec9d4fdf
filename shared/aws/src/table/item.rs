//! How items are written: their own members as serde_dynamo maps them, and beside them the keys, the index keys and the format.
//!
//! `arrived` is a number set and is left out when empty, so that `ADD` works on it and the table accepts it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use foreshard_model::forecast::StoredForecast;
use foreshard_model::frontier::{LaneItem, ShardItem};
use foreshard_model::ids::Tenant;
use foreshard_model::ledger::Event;
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::prewarm::PrewarmRecord;
use foreshard_model::profile::Profile;
use foreshard_model::run::RunItem;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Listed, PortError, PortResult, RunKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::{self, Key};
use super::{FORMAT, LIVE, PK, READY_RANK, SK};

/// An item as the service takes it.
pub type Attributes = HashMap<String, AttributeValue>;

const ARRIVED: &str = "arrived";
const FORMAT_NAME: &str = "format";
/// After this second the table may remove the item.
const EXPIRES_AT: &str = "expires_at";
/// A profile that nothing was added to for so long is forgotten: of its samples little weight is left.
const PROFILE_DAYS: u64 = 180;
/// How long decisions of pre-warming are kept, with what came of them.
const PREWARM_DAYS: u64 = 14;

/// When somebody must look after a schedule.
pub(crate) const AT: &str = "at";

/// A run's item.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written, such as for a number that is not finite.
pub fn of_run(item: &RunItem) -> PortResult<Attributes> {
    envelope(&key::run(&item.run), item)
}

/// A run's entry in the listing of its tenant: never changed.
#[must_use]
pub fn of_listing(item: &RunItem) -> Attributes {
    let listed = Listed {
        accepted_at: item.accepted_at,
        run: item.run.clone(),
    };
    marker(&key::listing(&item.context.tenant, &listed), item)
}

/// The marker of a run that is not terminal.
#[must_use]
pub fn of_active(item: &RunItem) -> Attributes {
    marker(&key::active(&item.run), item)
}

/// A shard's item, with its index keys.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_shard(run: &RunKey, item: &ShardItem) -> PortResult<Attributes> {
    let mut attributes = envelope(&key::shard(run, item.id), item)?;
    if !item.arrived.is_empty() {
        let numbers = item.arrived.iter().map(|id| id.0.to_string()).collect();
        attributes.insert(ARRIVED.to_owned(), AttributeValue::Ns(numbers));
    }
    index(&mut attributes, READY_RANK, item.ready_rank());
    index(&mut attributes, LIVE, item.live());
    Ok(attributes)
}

/// A lane's item, with its index key.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_lane(run: &RunKey, item: &LaneItem) -> PortResult<Attributes> {
    let mut attributes = envelope(&key::lane(run, item.lane), item)?;
    index(&mut attributes, LIVE, item.live());
    Ok(attributes)
}

/// An entry of the ledger.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_event(event: &Event) -> PortResult<Attributes> {
    envelope(&key::event(event), event)
}

/// A schedule's item.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_schedule(item: &ScheduleItem) -> PortResult<Attributes> {
    envelope(&key::schedule(&item.key()), item)
}

/// The marker of a schedule that somebody must look after at this moment.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_timer(of: &ScheduleKey, at: TimeMs) -> PortResult<Attributes> {
    let mut attributes = envelope(&key::timer(of), of)?;
    attributes.insert(AT.to_owned(), AttributeValue::N(at.0.to_string()));
    Ok(attributes)
}

/// A profile's item.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_profile(tenant: &Tenant, profile: &Profile) -> PortResult<Attributes> {
    let attributes = envelope(&key::profile(tenant, &profile.key), profile)?;
    Ok(expiring(attributes, profile.latest, PROFILE_DAYS))
}

/// A forecast's item.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_forecast(forecast: &StoredForecast) -> PortResult<Attributes> {
    envelope(&key::forecast(&forecast.place, forecast.quantity), forecast)
}

/// The outlook's item.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_outlook(outlook: &StoredOutlook) -> PortResult<Attributes> {
    envelope(&key::outlook(), outlook)
}

/// The item of a decision of pre-warming.
///
/// # Errors
/// [`PortError::Refused`] when it cannot be written.
pub fn of_prewarm_record(record: &PrewarmRecord) -> PortResult<Attributes> {
    let key = key::prewarm_record(&record.decision.target, record.at);
    Ok(expiring(envelope(&key, record)?, record.at, PREWARM_DAYS))
}

/// Only the address of an item.
#[must_use]
pub fn address(key: &Key) -> Attributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// The address of an item that was read.
#[must_use]
pub fn key(attributes: &Attributes) -> Option<Key> {
    Some(Key {
        pk: text(attributes, PK)?.to_owned(),
        sk: text(attributes, SK)?.to_owned(),
    })
}

/// Reads an item of a known format. Attributes that the type does not know are keys and index keys.
///
/// # Errors
/// [`PortError::Corrupt`] for another format, or when a member is missing or of another type.
pub fn read<T: DeserializeOwned>(attributes: Attributes) -> PortResult<T> {
    let place = place(&attributes);
    match attributes.get(FORMAT_NAME).and_then(|f| f.as_n().ok()) {
        Some(format) if *format == FORMAT.to_string() => {}
        Some(format) => {
            return Err(PortError::Corrupt(format!(
                "item {place} has format {format}, this release reads {FORMAT}"
            )));
        }
        None => return Err(PortError::Corrupt(format!("item {place} has no format"))),
    }
    serde_dynamo::from_item(attributes)
        .map_err(|error| PortError::Corrupt(format!("item {place}: {error}")))
}

/// A text attribute.
#[must_use]
pub fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes
        .get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
}

fn place(attributes: &Attributes) -> String {
    let part = |name| text(attributes, name).unwrap_or("?");
    format!("`{} | {}`", part(PK), part(SK))
}

/// The item, to be removed some days after a moment.
fn expiring(mut attributes: Attributes, at: TimeMs, days: u64) -> Attributes {
    let second = at.0 / 1_000 + days * 86_400;
    attributes.insert(EXPIRES_AT.to_owned(), AttributeValue::N(second.to_string()));
    attributes
}

fn envelope<T: Serialize>(key: &Key, body: &T) -> PortResult<Attributes> {
    let mut attributes: Attributes = serde_dynamo::to_item(body)
        .map_err(|error| PortError::Refused(format!("item `{} | {}`: {error}", key.pk, key.sk)))?;
    attributes.extend(address(key));
    attributes.insert(
        FORMAT_NAME.to_owned(),
        AttributeValue::N(FORMAT.to_string()),
    );
    Ok(attributes)
}

fn marker(key: &Key, item: &RunItem) -> Attributes {
    let mut attributes = address(key);
    attributes.insert(
        FORMAT_NAME.to_owned(),
        AttributeValue::N(FORMAT.to_string()),
    );
    attributes.insert("run".to_owned(), AttributeValue::S(item.run.0.clone()));
    attributes
}

fn index(attributes: &mut Attributes, name: &str, value: Option<String>) {
    if let Some(value) = value {
        attributes.insert(name.to_owned(), AttributeValue::S(value));
    }
}
