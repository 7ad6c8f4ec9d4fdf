"""The part of DynamoDB that the run protocol stands on, through the front door and the cached expressions."""

import threading
import unittest

from botocore.exceptions import ClientError

from tests.support import shared_host


class Protocol(unittest.TestCase):
    """A table with a sparse local index, as the product has it."""

    @classmethod
    def setUpClass(cls):
        cls.host = shared_host()
        cls.table = cls.host.client("dynamodb")
        key = [{"AttributeName": "pk", "KeyType": "HASH"}]
        cls.table.create_table(
            TableName="items",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[*key, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "rank")],
            LocalSecondaryIndexes=[
                {
                    "IndexName": "ready_rank",
                    "KeySchema": [*key, {"AttributeName": "rank", "KeyType": "RANGE"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )

    def put(self, run, sort, **attributes):
        self.table.put_item(TableName="items", Item={"pk": {"S": run}, "sk": {"S": sort}, **attributes})

    def ready(self, run, **options):
        """Sort keys of the sparse index, read consistently."""
        answer = self.table.query(
            TableName="items", IndexName="ready_rank", ConsistentRead=True, KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": run}}, **options,
        )  # fmt: skip
        return [item["sk"]["S"] for item in answer["Items"]]

    def test_a_sparse_index_holds_what_has_the_attribute_in_its_order(self):
        for index in range(20):
            self.put("R1", f"{index:02}", **({"rank": {"S": f"{99 - index}"}} if index % 5 == 0 else {}))
        self.assertEqual(self.ready("R1"), ["15", "10", "05", "00"])
        self.assertEqual(self.ready("R1", Limit=2), ["15", "10"])
        self.assertEqual(self.ready("none"), [])

    def test_the_same_expression_sees_other_items_and_other_values(self):
        for run in ("R2", "R3"):
            self.put(run, "a", rank={"S": "1"}, state={"S": run})
        for run in ("R2", "R3", "R2"):
            answer = self.table.query(
                TableName="items", KeyConditionExpression="pk = :p AND begins_with(sk, :s)", FilterExpression="#s = :p",
                ExpressionAttributeNames={"#s": "state"},
                ExpressionAttributeValues={":p": {"S": run}, ":s": {"S": "a"}},
            )  # fmt: skip
            self.assertEqual([item["pk"]["S"] for item in answer["Items"]], [run])

    def test_add_to_a_set_answers_the_whole_new_item(self):
        self.put("R4", "s")
        for number, expected in (("7", ["7"]), ("3", ["3", "7"]), ("7", ["3", "7"])):
            answer = self.table.update_item(
                TableName="items", Key={"pk": {"S": "R4"}, "sk": {"S": "s"}}, UpdateExpression="ADD arrived :a",
                ExpressionAttributeValues={":a": {"NS": [number]}}, ReturnValues="ALL_NEW",
            )  # fmt: skip
            self.assertEqual(sorted(answer["Attributes"]["arrived"]["NS"]), expected)
            self.assertEqual(answer["Attributes"]["sk"], {"S": "s"})

    def claim(self, attempt):
        """Shard from ready to running, and the lane one step on, in one transaction."""

        def update(sort, old, new):
            return {"Update": {
                "TableName": "items", "Key": {"pk": {"S": "R5"}, "sk": {"S": sort}}, "UpdateExpression": "SET v = :new",
                "ConditionExpression": "v = :old",
                "ExpressionAttributeValues": {":old": {"S": old}, ":new": {"S": new}},
            }}  # fmt: skip

        self.table.transact_write_items(
            TransactItems=[update("shard", "ready", "running"), update("lane", "0", attempt)]
        )

    def test_of_many_claims_one_wins_and_the_others_learn_why(self):
        self.put("R5", "shard", v={"S": "ready"})
        self.put("R5", "lane", v={"S": "0"})
        outcomes = []

        def contend(attempt):
            try:
                self.claim(attempt)
                outcomes.append("won")
            except ClientError as refused:
                outcomes.append([reason["Code"] for reason in refused.response["CancellationReasons"]])

        claimants = [threading.Thread(target=contend, args=(str(number),)) for number in range(1, 9)]
        for claimant in claimants:
            claimant.start()
        for claimant in claimants:
            claimant.join()
        self.assertEqual(outcomes.count("won"), 1)
        self.assertEqual(outcomes.count(["ConditionalCheckFailed", "ConditionalCheckFailed"]), 7)


if __name__ == "__main__":
    unittest.main()
