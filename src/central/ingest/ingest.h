// The way of a frame through the node: decode, store, judge, acknowledge. Implements the agent link's FrameHandler;
// calls for different hosts come in parallel. The promise: success is returned only when the frame's events and their
// detections are durable, and doing it twice shows nothing twice.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "base/result.h"
#include "central/fleet/enrollment.h"
#include "central/fleet/fleet.h"
#include "central/fleet/policy_book.h"
#include "central/ingest/judge.h"
#include "central/prevalence/prevalence_book.h"
#include "link/node/link_server.h"
#include "store/events/event_store.h"

namespace redoubt::central {

class Ingest final : public link::FrameHandler {
 public:
  // The parts outlive it.
  Ingest(store::EventStore& events, Judge& judge, Fleet& fleet, base::Metrics& metrics);

  // What says of events how common it is what they show; before anything comes in. It outlives this.
  void count_in(PrevalenceBook& prevalence) { prevalence_ = &prevalence; }
  // What serves renewals and policies; before the link server starts. They outlive it.
  void serve(Enrollment& enrollment, const PolicyBook& policies) {
    enrollment_ = &enrollment;
    policies_ = &policies;
  }

  // Judges what was stored but perhaps not judged before the last stop. Before the link server starts.
  Status replay();

  Result<uint64_t> agent_connected(const link::AgentIdentity& agent, const link::AgentHello& hello) override;
  Status take_frame(const link::AgentIdentity& agent, event::Frame frame) override;
  std::optional<link::HostPolicy> take_report(const link::AgentIdentity& agent,
                                              const link::HostReport& report) override;
  Result<std::string> renew(const link::AgentIdentity& agent, const std::string& request_pem) override;
  void agent_disconnected(const link::AgentIdentity& agent) override;

  // The latest sound frame could not be stored or judged, a full disk say: agents keep their events and try again.
  bool failing() const { return failing_; }

 private:
  uint64_t wanted_after(const std::string& host_id, const std::string& boot_id);
  Status store_and_judge(const std::string& host_id, const event::Frame& frame, const event::Batch& batch);
  void count(const event::Batch& batch, const store::Appended& appended);

  store::EventStore& events_;
  Judge& judge_;
  Fleet& fleet_;
  PrevalenceBook* prevalence_ = nullptr;
  Enrollment* enrollment_ = nullptr;
  const PolicyBook* policies_ = nullptr;
  base::Metrics& metrics_;
  base::Metric &frames_, &frames_rejected_, &frames_failed_, &events_new_, &events_repeated_, &lag_us_;
  std::atomic<bool> failing_ = false;
  std::mutex mutex_;
  // By host and boot: the sequence number up to which all that is stored is judged too, where judging failed behind it.
  std::map<std::pair<std::string, std::string>, uint64_t> judged_;
};

}  // namespace redoubt::central
