// The agent's end of the link: sends the spool's frames in order over one mutual-TLS stream, at most a window ahead of
// the node's acknowledgements, and releases what is acknowledged. Reconnects for ever, slower and slower. Own threads;
// state() is for any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "link/agent/account.h"
#include "link/agent/intake.h"
#include "link/agent/spool.h"
#include "link/certificate.h"
#include "link/host_policy.h"

namespace redoubt::link {

struct LinkClientOptions {
  std::string address;      // "host:port"
  std::string server_name;  // what the node's certificate must name
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  std::string host_name, host_ip, os_version, agent_version, tier;  // for the hello
  std::string rejected_directory;                                   // where refused frames are set aside
  enum class Proxy { none, chosen };
  Proxy proxy = Proxy::none;  // chosen: the one of choose_proxy() is asked to CONNECT

  // All three on the client's own threads. Empty: nothing is reported, applied, renewed.
  std::function<HostReport()> report;
  std::function<void(const HostPolicy&)> take_policy;
  // Called with a renewed key and certificate, which are used once this has made them durable.
  std::function<Status(const KeyAndCertificate&)> keep_certificate;
  std::chrono::milliseconds report_every{5'000};
  std::chrono::milliseconds retry_first{500};
  std::chrono::milliseconds retry_longest{60'000};
  std::chrono::milliseconds retry_refused{300'000};  // after PERMISSION_DENIED
  size_t window_frames = 8;
  size_t window_bytes = size_t{4} << 20;
};

// waiting: not connected, tries again; refused: the node does not want this host, asks again seldom.
enum class LinkPhase { connecting, connected, waiting, refused, stopped };
std::string_view name_of(LinkPhase phase);

struct LinkState {
  LinkPhase phase = LinkPhase::connecting;
  std::string node_version;
  uint64_t stored_sequence = 0;  // highest number of this boot that the node has acknowledged
  uint64_t connections = 0;
  uint64_t frames_sent = 0;
  uint64_t frames_rejected = 0;
  std::string last_error;
  base::Time last_contact;
};

// "http://[user:password@]host:port": the HTTP proxy of this process's clients. gRPC takes it from the environment, so
// this comes before any other thread is made.
void choose_proxy(const std::string& proxy);

class LinkClient {
 public:
  // All outlive the client.
  LinkClient(LinkClientOptions options, Account& account, Intake& intake, Spool& spool);
  ~LinkClient();  // stops at once

  void start();
  // Waits until the spool is empty or `at_most` has passed, where a stream is up; then ends it and joins.
  void stop(std::chrono::milliseconds at_most);
  LinkState state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::link
