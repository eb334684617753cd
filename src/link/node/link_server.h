// The node's end of the agent link: a gRPC server with mutual TLS that hands hellos and frames to a FrameHandler and
// answers with what the handler says. Central starts one, implements FrameHandler and ends the streams of revoked
// hosts. start() returns once it listens; stop() (or destruction) ends every stream and joins.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "event/frame.h"
#include "link/host_policy.h"

namespace redoubt::link {

// Who is on the other end, from its verified client certificate.
struct AgentIdentity {
  std::string host_id;                  // subject CN
  std::string certificate_fingerprint;  // SHA-256 hex of the DER certificate
  std::string address;                  // "ipv4:10.0.0.7:51234"
};

// What the agent says about its host; untrusted text, each at most kHelloTextMax bytes of valid UTF-8.
struct AgentHello {
  std::string host_name, host_ip, os_version, agent_version, boot_id, tier;
};
constexpr size_t kHelloTextMax = 256;

// What central does with what arrives. Calls for one host never overlap; calls for different hosts run in parallel on
// the server's worker threads. agent_connected comes first; after it succeeded agent_disconnected comes exactly once.
class FrameHandler {
 public:
  virtual ~FrameHandler() = default;

  // The highest sequence number of hello.boot_id that is stored (0: none), or: permission_denied and unauthenticated
  // end the stream with PERMISSION_DENIED; every other error ends it with UNAVAILABLE and the agent comes back.
  virtual Result<uint64_t> agent_connected(const AgentIdentity& agent, const AgentHello& hello) = 0;

  // Success: the frame's events and detections are durable, the frame is acknowledged (so is a repeated frame).
  // invalid_argument, too_large, corrupt: never to be taken, the agent sets it aside (Reject) and the stream goes on.
  // permission_denied: the stream ends with it. Other errors (exhausted, unavailable, io): the stream ends with
  // UNAVAILABLE, the agent keeps the frame and comes back with back-off. The frame's boot_id may be an earlier boot's.
  virtual Status take_frame(const AgentIdentity& agent, event::Frame frame) = 0;

  // How the agent is. The policy that it shall apply, where that is another than the one it reports.
  virtual std::optional<HostPolicy> take_report(const AgentIdentity&, const HostReport&) { return std::nullopt; }
  // A new certificate (PEM) for the agent's hostile request; it comes back with it, or with the old one.
  virtual Result<std::string> renew(const AgentIdentity&, const std::string& /*request_pem*/) {
    return fail(Errc::unsupported, "this node renews no certificates");
  }

  virtual void agent_disconnected(const AgentIdentity& agent) = 0;
};

struct LinkServerOptions {
  std::string address = "127.0.0.1:8444";  // port 0: any free one, see port()
  std::string ca_pem;                      // the only root that client certificates may come from
  std::string certificate_pem;
  std::string key_pem;
  std::string node_version;
  size_t streams_max = 32'768;          // each takes a descriptor and some memory
  size_t reports_per_second_max = 300;  // of all hosts: with more of them each reports more rarely
  size_t worker_threads = 8;            // how many hosts' handler calls run at once
};

class LinkServer {
 public:
  // `handler` outlives the server.
  static Result<std::unique_ptr<LinkServer>> start(LinkServerOptions options, FrameHandler& handler);
  ~LinkServer();

  int port() const;
  // Ends the live streams of a host with PERMISSION_DENIED; the handler must refuse it from now on.
  void end_streams(const std::string& host_id);
  size_t streams() const;
  void stop();

 private:
  friend class AgentStream;
  struct Impl;
  explicit LinkServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::link
