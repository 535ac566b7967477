"""Calls of the control port, made from its OpenAPI description by test/client-library/generate.ts: not to be edited."""


class Operations:
    def assign_hold(self, id, body):
        """Take a hold, hand it over or give it back."""
        return self._call("POST", "/api/v1/holds/{id}/assignment", {"id": id}, {}, body)

    def backtest_policy(self, body):
        """Replay a draft policy over what was recorded."""
        return self._call("POST", "/api/v1/policy/backtest", {}, {}, body)

    def begin_delegation(self, body):
        """Let somebody rule in your stead while you are away."""
        return self._call("POST", "/api/v1/delegations", {}, {}, body)

    def change_keys(self, body):
        """Change a key of the ledger."""
        return self._call("POST", "/api/v1/keys", {}, {}, body)

    def comment_on_hold(self, id, body):
        """Say something about a hold."""
        return self._call("POST", "/api/v1/holds/{id}/comments", {"id": id}, {}, body)

    def end_delegation(self, seq, body):
        """End a delegation before its time."""
        return self._call("POST", "/api/v1/delegations/{seq}/end", {"seq": seq}, {}, body)

    def enrol_reviewer_key(self, body):
        """Enrol a key that signs rulings."""
        return self._call("POST", "/api/v1/reviewer-keys", {}, {}, body)

    def healthz(self):
        """Alive."""
        return self._call("GET", "/healthz", {}, {}, None)

    def lift_legal_hold(self, id, body):
        """Lift a legal hold."""
        return self._call("POST", "/api/v1/legal-holds/{id}/lift", {"id": id}, {}, body)

    def list_anchors(self):
        """Who outside took note of checkpoints lately."""
        return self._call("GET", "/api/v1/ledger/anchors", {}, {}, None)

    def list_decisions(self, limit=None, before=None, provider=None, operation=None, model=None, workload=None, session=None, rule=None, ruledBy=None, subject=None, since=None, until=None, verdict=None, outcome=None):
        """What was recorded, newest first."""
        return self._call("GET", "/api/v1/decisions", {}, {"limit": limit, "before": before, "provider": provider, "operation": operation, "model": model, "workload": workload, "session": session, "rule": rule, "ruledBy": ruledBy, "subject": subject, "since": since, "until": until, "verdict": verdict, "outcome": outcome}, None)

    def list_delegations(self):
        """Who rules in whose stead."""
        return self._call("GET", "/api/v1/delegations", {}, {}, None)

    def list_entries(self, from_=None, limit=None):
        """Sealed entries in order."""
        return self._call("GET", "/api/v1/ledger/entries", {}, {"from": from_, "limit": limit}, None)

    def list_erasures(self):
        """Erasures since the sidecar started."""
        return self._call("GET", "/api/v1/erasures", {}, {}, None)

    def list_holds(self, state=None, session=None, after=None, limit=None, id=None):
        """The queue."""
        return self._call("GET", "/api/v1/holds", {}, {"state": state, "session": session, "after": after, "limit": limit, "id": id}, None)

    def list_legal_holds(self):
        """Legal holds that stand."""
        return self._call("GET", "/api/v1/legal-holds", {}, {}, None)

    def list_notifications(self, state=None, before=None, limit=None):
        """Messages to receivers."""
        return self._call("GET", "/api/v1/notifications", {}, {"state": state, "before": before, "limit": limit}, None)

    def list_policy_versions(self, limit=None, before=None):
        """Sealed policies, newest first."""
        return self._call("GET", "/api/v1/policy/versions", {}, {"limit": limit, "before": before}, None)

    def list_reviewer_keys(self):
        """Keys that sign rulings."""
        return self._call("GET", "/api/v1/reviewer-keys", {}, {}, None)

    def list_reviews(self, state=None):
        """Releases by one person alone, and their reviews."""
        return self._call("GET", "/api/v1/reviews", {}, {"state": state}, None)

    def look_at_hold(self, id, body):
        """Say that one looks at a hold, and see who else does."""
        return self._call("POST", "/api/v1/holds/{id}/looking", {"id": id}, {}, body)

    def look_at_retention(self, rule):
        """What a retention rule would erase next."""
        return self._call("POST", "/api/v1/retention/{rule}/dry-run", {"rule": rule}, {}, None)

    def metrics(self):
        """Prometheus metrics."""
        return self._call("GET", "/metrics", {}, {}, None)

    def openapi(self):
        """This description."""
        return self._call("GET", "/openapi.json", {}, {}, None)

    def place_legal_hold(self, body):
        """Place a legal hold."""
        return self._call("POST", "/api/v1/legal-holds", {}, {}, body)

    def prove_consistency(self, from_, to=None):
        """Proof that nothing sealed earlier has changed."""
        return self._call("GET", "/api/v1/ledger/proofs/consistency", {}, {"from": from_, "to": to}, None)

    def prove_inclusion(self, seq, size=None):
        """Proof that an entry is in the ledger."""
        return self._call("GET", "/api/v1/ledger/proofs/inclusion", {}, {"seq": seq, "size": size}, None)

    def read_bodies(self, id):
        """The bodies of a decision."""
        return self._call("GET", "/api/v1/decisions/{id}/body", {"id": id}, {}, None)

    def read_checkpoint(self):
        """The checkpoint as C2SP tlog-tiles has it."""
        return self._call("GET", "/checkpoint", {}, {}, None)

    def read_decision_exchange(self, id):
        """The exchange of a decision, as understood."""
        return self._call("GET", "/api/v1/decisions/{id}/exchange", {"id": id}, {}, None)

    def readyz(self):
        """Ready for calls."""
        return self._call("GET", "/readyz", {}, {}, None)

    def replay_notification(self, body):
        """Send a dead letter again."""
        return self._call("POST", "/api/v1/notifications/replay", {}, {}, body)

    def report_decisions(self, body):
        """Report decisions that were made elsewhere."""
        return self._lines("POST", "/api/v1/decisions:batch", {}, {}, body)

    def review_hold(self, id, body):
        """Review a release by one person alone."""
        return self._call("POST", "/api/v1/holds/{id}/review", {"id": id}, {}, body)

    def rule_on_hold(self, id, body):
        """Rule on a hold."""
        return self._call("POST", "/api/v1/holds/{id}/rulings", {"id": id}, {}, body)

    def rule_on_holds(self, body):
        """Rule on many holds of the same bytes."""
        return self._call("POST", "/api/v1/rulings", {}, {}, body)

    def show_checkpoint(self):
        """The signed checkpoint."""
        return self._call("GET", "/api/v1/ledger/checkpoint", {}, {}, None)

    def show_decision(self, id):
        """One decision and its sealed entries."""
        return self._call("GET", "/api/v1/decisions/{id}", {"id": id}, {}, None)

    def show_erasure(self, id):
        """How far an erasure is."""
        return self._call("GET", "/api/v1/erasures/{id}", {"id": id}, {}, None)

    def show_hold(self, id):
        """One hold with the whole exchange."""
        return self._call("GET", "/api/v1/holds/{id}", {"id": id}, {}, None)

    def show_policy(self):
        """The policy in force."""
        return self._call("GET", "/api/v1/policy", {}, {}, None)

    def show_policy_rules(self):
        """The rules in force and their tests."""
        return self._call("GET", "/api/v1/policy/rules", {}, {}, None)

    def show_policy_version(self, seq):
        """One sealed policy, whole."""
        return self._call("GET", "/api/v1/policy/versions/{seq}", {"seq": seq}, {}, None)

    def show_retention(self):
        """How long content is kept."""
        return self._call("GET", "/api/v1/retention", {}, {}, None)

    def show_summary(self, hours=None):
        """What happened lately, in numbers."""
        return self._call("GET", "/api/v1/summary", {}, {"hours": hours}, None)

    def start_erasure(self, body):
        """Erase content."""
        return self._call("POST", "/api/v1/erasures", {}, {}, body)

    def stop_erasure(self, id, body):
        """Stop an erasure."""
        return self._call("POST", "/api/v1/erasures/{id}/stop", {"id": id}, {}, body)

    def test_notification(self, body):
        """Send a test to a receiver."""
        return self._call("POST", "/api/v1/notifications/test", {}, {}, body)

    def whoami(self):
        """Whom the token belongs to."""
        return self._call("GET", "/api/v1/whoami", {}, {}, None)

    def withdraw_reviewer_key(self, body):
        """Withdraw a key that signs rulings."""
        return self._call("POST", "/api/v1/reviewer-keys/withdraw", {}, {}, body)
