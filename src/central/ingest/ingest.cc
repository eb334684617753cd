#include "central/ingest/ingest.h"

#include <algorithm>
#include <array>

#include "base/log.h"

namespace redoubt::central {

namespace {

using event::Field;

// The causes of fields.def: a label's values are a closed set, whatever an agent sends.
constexpr std::array<std::string_view, 12> kLossCauses = {
    "ring_critical", "ring_bulk",     "share_critical", "share_bulk",  "budget_bulk",      "queue_full",
    "spool_full",    "spool_damaged", "agent_killed",   "sensor_down", "rejected_by_node", "other"};

std::string_view known_cause(std::string_view cause) {
  const auto* const found = std::find(kLossCauses.begin(), kLossCauses.end(), cause);
  return found != kLossCauses.end() ? *found : kLossCauses.back();
}

Result<event::Batch> decode_frame(const event::Frame& frame) {
  TRY(std::string bytes, event::open_frame(frame.payload, frame.checksum));
  return event::Batch::decode(std::move(bytes));
}

// An agent speaks for its own host only, and its events are those that the frame's head announces.
Status check_rows(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) {
  const auto refuse = [](size_t index, std::string_view what) {
    return fail(Errc::invalid_argument, "frame: event " + std::to_string(index) + ": " + std::string(what));
  };
  if (batch.size() == 0 || batch.size() != frame.events) {
    return fail(Errc::invalid_argument, "frame: " + std::to_string(frame.events) + " events announced, " +
                                            std::to_string(batch.size()) + " found");
  }
  int64_t before = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    const int64_t sequence = row.integer(Field::event_sequence);
    if (row.text(Field::host_id) != host_id) return refuse(i, "host.id is not that of the agent's certificate");
    if (row.text(Field::host_boot_id) != frame.boot_id) return refuse(i, "host.boot.id is not that of the frame");
    if (sequence <= before) return refuse(i, "event.sequence does not rise");
    if (row.integer(Field::event_time) <= 0) return refuse(i, "@timestamp is missing");
    for (const Field field : event::kNodeFields) {
      if (row.get(field).present()) return refuse(i, std::string(event::info(field).name) + " is for the node to say");
    }
    before = sequence;
  }
  const auto first = static_cast<uint64_t>(batch.row(0).integer(Field::event_sequence));
  if (first != frame.first_sequence || static_cast<uint64_t>(before) != frame.last_sequence) {
    return fail(Errc::invalid_argument, "frame: its range is not that of its events");
  }
  return {};
}

}  // namespace

Ingest::Ingest(store::EventStore& events, Judge& judge, Fleet& fleet, base::Metrics& metrics)
    : events_(events),
      judge_(judge),
      fleet_(fleet),
      metrics_(metrics),
      frames_(metrics.counter("redoubt_ingest_frames_total", "frames that were acknowledged")),
      frames_rejected_(metrics.counter("redoubt_ingest_frames_rejected_total", "frames that were malformed")),
      frames_failed_(metrics.counter("redoubt_ingest_frames_failed_total", "frames that the agent has to send again")),
      events_new_(metrics.counter("redoubt_ingest_events_total", "events that were stored")),
      events_repeated_(metrics.counter("redoubt_ingest_events_repeated_total", "events that had been stored before")),
      lag_us_(metrics.gauge("redoubt_ingest_lag_microseconds", "age of the newest event of the latest frame")) {}

Status Ingest::replay() {
  return events_.replay_unjudged(
      [this](const std::string& host_id, const event::Batch& batch) { return judge_.judge(host_id, batch); });
}

Result<uint64_t> Ingest::agent_connected(const link::AgentIdentity& agent, const link::AgentHello& hello) {
  const Status known = fleet_.connected(agent, hello);
  if (!known) {
    base::log_warning("ingest", "agent " + agent.host_id + " from " + agent.address + ": " + known.error().message);
    return tl::unexpected<Error>(known.error());
  }
  base::log_info("ingest", "agent of " + hello.host_name + " (" + agent.host_id + ") is connected");
  return wanted_after(agent.host_id, hello.boot_id);
}

// The agent sends what follows: what was stored and could not be judged comes again, and is judged then.
uint64_t Ingest::wanted_after(const std::string& host_id, const std::string& boot_id) {
  const uint64_t stored = events_.stored_sequence(host_id, boot_id);
  const std::lock_guard lock(mutex_);
  const auto judged = judged_.find({host_id, boot_id});
  return judged == judged_.end() ? stored : std::min(stored, judged->second);
}

std::optional<link::HostPolicy> Ingest::take_report(const link::AgentIdentity& agent, const link::HostReport& report) {
  fleet_.reported(agent.host_id, report);
  if (policies_ == nullptr || policies_->version() == report.policy_version) return std::nullopt;
  return policies_->compiled();
}

Result<std::string> Ingest::renew(const link::AgentIdentity& agent, const std::string& request_pem) {
  TRY_STATUS(fleet_.check_connected(agent));
  if (enrollment_ == nullptr) return fail(Errc::unsupported, "this node renews no certificates");
  TRY(std::string certificate, enrollment_->renew(agent.host_id, request_pem));
  base::log_info("ingest", "certificate of host " + agent.host_id + " is renewed");
  return certificate;
}

void Ingest::agent_disconnected(const link::AgentIdentity& agent) {
  fleet_.disconnected(agent);
  base::log_info("ingest", "agent " + agent.host_id + " is disconnected");
}

Status Ingest::take_frame(const link::AgentIdentity& agent, event::Frame frame) {
  TRY_STATUS(fleet_.check_connected(agent));
  auto batch = decode_frame(frame);
  const Status sound = batch ? check_rows(agent.host_id, frame, *batch) : tl::unexpected<Error>(batch.error());
  if (!sound) {
    frames_rejected_.add();
    base::log_warning("ingest", "frame of host " + agent.host_id + " rejected: " + sound.error().message);
    return sound;
  }
  if (prevalence_ != nullptr) prevalence_->note(agent.host_id, *batch, base::Time::now());
  const Status done = store_and_judge(agent.host_id, frame, *batch);
  failing_ = !done;
  if (done) return done;
  frames_failed_.add();
  base::log_error("ingest", "frame of host " + agent.host_id + ": " + done.error().message);
  // The frame is sound, so whatever went wrong is the node's own trouble: the agent keeps it and sends it again.
  return fail(Errc::unavailable, done.error().message);
}

Status Ingest::store_and_judge(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) {
  TRY(const store::Appended appended, base::within("store events", events_.append(host_id, frame, batch)));
  // A repeated frame is judged again: after a failure between storing and judging nothing else would do it.
  const Status judged = judge_.judge(host_id, batch);
  {
    const std::lock_guard lock(mutex_);
    const auto [waiting, added] = judged_.try_emplace({host_id, frame.boot_id}, frame.first_sequence - 1);
    if (judged && frame.first_sequence <= waiting->second + 1) judged_.erase(waiting);
  }
  TRY_STATUS(judged);
  TRY_STATUS(base::within("mark judged", events_.mark_judged(host_id, frame.boot_id, frame.last_sequence)));
  fleet_.saw(host_id, batch, appended.events_new);
  count(batch, appended);
  return {};
}

void Ingest::count(const event::Batch& batch, const store::Appended& appended) {
  frames_.add();
  events_new_.add(appended.events_new);
  events_repeated_.add(appended.events_repeated);
  if (appended.events_new == 0) return;
  lag_us_.set(base::Time::now().us - batch.row(batch.size() - 1).integer(Field::event_time));
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    if (row.type() != event::EventType::loss) continue;
    const std::string label = "cause=\"" + std::string(known_cause(row.text(Field::loss_cause))) + "\"";
    metrics_.counter("redoubt_events_lost_total", "events declared lost by agents", label)
        .add(row.integer(Field::loss_count));
  }
}

}  // namespace redoubt::central
