//! Runs: their item, the listing of their tenant, and the marker that the sweep finds them by, kept in step by transactions.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use foreshard_model::frontier::Expect;
use foreshard_model::ids::{RunId, Tenant};
use foreshard_model::run::RunItem;
use foreshard_stages::ports::{Listed, Page, PortResult, RunReads, RunWrites, Span};

use super::DynamoTable;
use super::batch::unbuilt;
use crate::table::item::{self, Attributes};
use crate::table::{SK, key};

/// The last moment that thirteen digits can name: in the year 2286.
const LAST_MS: u64 = 9_999_999_999_999;

#[async_trait]
impl RunReads for DynamoTable {
    async fn run(&self, run: &RunId) -> PortResult<Option<RunItem>> {
        self.item(&format!("run {run}"), &key::run(run)).await
    }

    async fn runs_of(
        &self,
        tenant: &Tenant,
        span: &Span,
        after: Option<&Listed>,
        limit: usize,
    ) -> PortResult<Vec<Listed>> {
        let (low, high) = bounds(span, after);
        if low > high {
            return Ok(Vec::new());
        }
        let query = self
            .query(
                key::tenant(tenant),
                SK,
                Some(("#sk BETWEEN :low AND :sk", high)),
            )
            .expression_attribute_values(":low", AttributeValue::S(low))
            .scan_index_forward(false);
        // The range has its end in it, which is `after`.
        let items = Self::collect("listing of a tenant", query, limit + 1).await?;
        let listed = items
            .iter()
            .filter_map(|i| Listed::parse(item::text(i, SK)?));
        let behind = listed.filter(|entry| after.is_none_or(|after| entry < after));
        Ok(behind.take(limit).collect())
    }

    async fn active_runs(&self, after: Option<&str>) -> PortResult<Page<RunId>> {
        let pk = key::ACTIVE.to_owned();
        let query = self.query(pk.clone(), SK, None);
        run_page("active runs", query, pk, after).await
    }
}

/// The sort keys between which the listing is read, both of them in it.
fn bounds(span: &Span, after: Option<&Listed>) -> (String, String) {
    let low = span.since.map_or(0, |since| since.0.min(LAST_MS));
    let last = span.until.map_or(LAST_MS, |until| until.0.min(LAST_MS));
    // No sort key of a moment is behind its digits and `~`, and none of the moment itself is before them.
    let end = match last.checked_sub(1) {
        Some(before) => format!("{before:013}~"),
        None => String::new(),
    };
    let high = match after.map(Listed::place) {
        Some(place) if place < end => place,
        _ => end,
    };
    (format!("{low:013}"), high)
}

async fn run_page(
    what: &str,
    query: aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder,
    pk: String,
    after: Option<&str>,
) -> PortResult<Page<RunId>> {
    let (items, next) = DynamoTable::page(what, query, pk, after).await?;
    let run = |attributes: &Attributes| item::text(attributes, "run").map(RunId::from);
    Ok(Page {
        items: items.iter().filter_map(run).collect(),
        next,
    })
}

#[async_trait]
impl RunWrites for DynamoTable {
    async fn create_run(&self, item: &RunItem) -> PortResult<()> {
        let actions = vec![
            self.put(item::of_run(item)?, Some(Expect::Absent))?,
            self.put(item::of_listing(item), None)?,
            self.put(item::of_active(item), None)?,
        ];
        self.transact(&format!("run {}", item.run), actions).await
    }

    async fn update_run(&self, item: &RunItem) -> PortResult<()> {
        let expected = Expect::Version(item.version.saturating_sub(1));
        let marker = if item.state.is_terminal() {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(item::address(&key::active(&item.run))))
                .build()
                .map_err(unbuilt)?;
            TransactWriteItem::builder().delete(delete).build()
        } else {
            self.put(item::of_active(item), None)?
        };
        let actions = vec![self.put(item::of_run(item)?, Some(expected))?, marker];
        self.transact(&format!("run {}", item.run), actions).await
    }
}

/// The condition of a write, with its names and values.
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) name: (&'static str, &'static str),
    pub(super) value: Option<(&'static str, AttributeValue)>,
}

/// What must hold for `expect`.
pub(super) fn condition(expect: Expect) -> Condition {
    match expect {
        Expect::Absent => Condition {
            expression: "attribute_not_exists(#pk)",
            name: ("#pk", crate::table::PK),
            value: None,
        },
        Expect::Version(version) => Condition {
            expression: "#version = :version",
            name: ("#version", "version"),
            value: Some((":version", AttributeValue::N(version.to_string()))),
        },
    }
}

impl DynamoTable {
    /// A put of a transaction.
    pub(super) fn put(
        &self,
        attributes: Attributes,
        expect: Option<Expect>,
    ) -> PortResult<TransactWriteItem> {
        let mut put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(attributes));
        if let Some(expect) = expect {
            let condition = condition(expect);
            let (mark, name) = condition.name;
            put = put
                .condition_expression(condition.expression)
                .expression_attribute_names(mark, name);
            if let Some((mark, value)) = condition.value {
                put = put.expression_attribute_values(mark, value);
            }
        }
        let put = put.build().map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
