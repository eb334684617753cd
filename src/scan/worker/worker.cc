#include "scan/worker/worker.h"

#include <sys/mman.h>
#include <unistd.h>
#include <ctime>

#include "base/time.h"
#include "scan/jail/jail.h"
#include "scan/wire.h"
#include "scan/worker/object_judge.h"
#include "scan/worker/part_sender.h"

namespace redoubt::scan {

namespace {

// A worker retires at half of its processor time, so that the kernel's limit only ever ends one that hangs.
constexpr int64_t kCpuSecondsBase = 300;

int64_t cpu_seconds_used() {
  timespec spec{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spec);
  return spec.tv_sec;
}

// The whole content of a descriptor as memory. fstat() of glibc is no system call that the jail allows; a seek tells
// the size as well.
class Mapping {
 public:
  static Result<Mapping> of(const base::UniqueFd& content) {
    const off_t size = lseek(content.get(), 0, SEEK_END);
    if (size < 0) return base::fail_errno("size of the object");
    if (size == 0) return Mapping("", 0);
    void* data = mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE | MAP_POPULATE, content.get(), 0);
    if (data != MAP_FAILED) return Mapping(static_cast<const char*>(data), static_cast<size_t>(size));
    return fail(Errc::too_large, "object of " + std::to_string(size) + " bytes does not fit the worker's memory");
  }
  Mapping(Mapping&& other) noexcept : data_(other.data_), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (size_ > 0) munmap(const_cast<char*>(data_), size_);
  }

  std::string_view bytes() const { return {data_, size_}; }

 private:
  Mapping(const char* data, size_t size) : data_(data), size_(size) {}
  const char* data_;
  size_t size_;
};

Result<std::vector<wire::RuleFile>> map_rules(const base::UniqueFd& bundle) {
  if (!bundle) return fail(Errc::corrupt, "no rule bundle came with the setup");
  TRY(const Mapping mapping, Mapping::of(bundle));
  return wire::decode_rules(mapping.bytes());
}

class Worker {
 public:
  Worker(int socket, wire::Setup setup) : socket_(socket), setup_(setup), parts_(socket) {
    cpu_seconds_max_ = 2 * (kCpuSecondsBase + setup.object_time_ms_max / 1000);
  }

  // Everything up to the hello. The jail shuts before the rules are compiled: rule files are written by others too.
  Status start(const base::UniqueFd& bundle) {
    wire::Hello hello;
    Status prepared = prepare(bundle, hello);
    if (!prepared) hello.error = prepared.error().message;
    if (prepared) {
      for (const std::string& packet : wire::encode_catalogue(engines_.yara->rules())) {
        TRY_STATUS(wire::send_packet(socket_, packet, -1));
      }
    }
    TRY_STATUS(wire::send_packet(socket_, wire::encode(hello), -1));
    return prepared;
  }

  // Judges until the pool hangs up or the worker retires.
  Status serve() {
    while (true) {
      auto packet = wire::receive_packet(socket_);
      if (!packet) return {};
      TRY(const wire::Request request, wire::decode_request(packet->bytes));
      wire::Report report = judge(packet->descriptor, request);
      if (cpu_seconds_used() >= cpu_seconds_max_ / 2) report.future = wire::Future::retires;
      for (const std::string& told : wire::encode(report)) TRY_STATUS(wire::send_packet(socket_, told, -1));
      if (report.future == wire::Future::retires) return {};
    }
  }

 private:
  // What reads files of its own (databases of types and of character sets, libraries) before the jail, rules after it.
  Status prepare(const base::UniqueFd& bundle, wire::Hello& hello) {
    TRY(engines_.types, open_file_types());
    engines_.mail = open_mail_unpacker();
    engines_.tnef = open_tnef_unpacker();
    engines_.pdf = open_pdf_unpacker();
    engines_.archive = open_archive_unpacker();
    TRY(hello.jail, enter_jail({.memory_bytes_max = setup_.memory_bytes_max,
                                .memory_file_bytes_max = member_bytes_max(setup_.memory_bytes_max),
                                .cpu_seconds_max = cpu_seconds_max_}));
    TRY(auto files, map_rules(bundle));
    TRY(CompiledYara yara, compile_yara(std::move(files)));
    engines_.yara = std::move(yara.engine);
    hello.refused = std::move(yara.refused);
    hello.refused_total = yara.refused_total;
    hello.engine_version = yara_version();
    return {};
  }

  wire::Report judge(const base::UniqueFd& content, const wire::Request& request) {
    const int64_t cpu_before_ns = base::thread_cpu_ns();
    wire::Report report = judge_mapped(content, request);
    report.cpu.all_ns = base::thread_cpu_ns() - cpu_before_ns;
    return report;
  }

  wire::Report judge_mapped(const base::UniqueFd& content, const wire::Request& request) {
    const auto mapping = Mapping::of(content);
    if (!mapping) {
      wire::Report refused;
      refused.error = mapping.error().message;
      return refused;
    }
    return judge_object(engines_, request, mapping->bytes(), {setup_.object_time_ms_max, setup_.memory_bytes_max},
                        parts_);
  }

  int socket_;
  wire::Setup setup_;
  int64_t cpu_seconds_max_ = 0;
  Engines engines_;
  PartSender parts_;
};

}  // namespace

Status run_worker(int socket) {
  TRY(wire::Packet packet, wire::receive_packet(socket));
  TRY(const wire::Setup setup, wire::decode_setup(packet.bytes));
  Worker worker(socket, setup);
  TRY_STATUS(worker.start(packet.descriptor));
  packet.descriptor = base::UniqueFd();
  return worker.serve();
}

}  // namespace redoubt::scan
