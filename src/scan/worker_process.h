// One redoubt-scan process as the pool holds it: started with a rule bundle, asked one object at a time, killed when it
// is late, its end put into words. One thread at a time.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "scan/wire.h"

namespace redoubt::scan {

struct WorkerOptions {
  std::string program;
  wire::Setup setup;
};

// Takes what ClamAV has to see, while the worker goes on. Must be done by the deadline, on the boot clock.
class PartHandler {
 public:
  virtual ~PartHandler() = default;
  // Without a descriptor: the object that was handed in.
  virtual void handle(wire::Part part, base::UniqueFd content, int64_t deadline_ns) = 0;
};

class WorkerProcess {
 public:
  // Blocks until the worker has compiled the bundle and shut its jail. The worker's own words if it could not.
  static Result<std::unique_ptr<WorkerProcess>> start(const WorkerOptions& options, const base::UniqueFd& bundle);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // timeout when time_ms passed, unavailable when the worker ended: "worker ended by signal 11 (Segmentation fault)".
  // After any error the process is gone.
  Result<wire::Report> scan(const base::UniqueFd& content, const wire::Request& request, int64_t time_ms,
                            PartHandler& parts);
  const wire::Hello& hello() const { return hello_; }
  const std::vector<LoadedRule>& rules() const { return rules_; }

 private:
  WorkerProcess(pid_t pid, base::UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
  Result<wire::Report> receive_answer(int64_t deadline_ns, PartHandler& parts);
  Status hear_greeting(int64_t deadline_ns);
  Result<wire::Packet> receive_until(int64_t deadline_ns);
  std::string end();

  pid_t pid_;
  base::UniqueFd socket_;
  wire::Hello hello_;
  std::vector<LoadedRule> rules_;
};

}  // namespace redoubt::scan
