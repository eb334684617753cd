// The agent's books of one boot in a mapped file: what was numbered, what the node has, what was declared lost. A
// store to the map survives SIGKILL, so that the next start knows exactly which numbers were given and never spooled.
// Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace redoubt::link {

// Numbers whose events are gone and whose loss is not yet in the spool. Opened before the events go, filled when the
// loss event is spooled; what a killed agent leaves open the next start declares. Several holes become their hull.
struct Hole {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t count = 0;
};

// What the run before left behind.
struct AccountBefore {
  enum class Boot { same, earlier };
  Boot boot = Boot::same;
  std::string boot_id;
  uint64_t numbered = 0;
  uint64_t released = 0;
  base::Time alive;  // the last note_alive()
  Hole hole;
};

class Account {
 public:
  // Goes on with the file's numbering if it is of this kernel boot, else starts at 1. `used_before` says that this
  // agent has run before: a missing or unreadable file then gets a boot id of its own, so that no number is given
  // twice.
  enum class DataDir { fresh, used_before };
  static Result<std::unique_ptr<Account>> open(const std::string& path, const std::string& kernel_boot_id, DataDir dir);
  ~Account();
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  const std::optional<AccountBefore>& before() const { return before_; }
  // The kernel's boot id, with a suffix only where the numbering had to be started anew within a boot.
  const std::string& boot_id() const { return boot_id_; }

  uint64_t give_number();
  uint64_t numbered() const;
  // The next number given is above `sequence`.
  void skip_numbers_to(uint64_t sequence);
  // Highest number of this boot that the spool no longer owes: acknowledged, or its loss declared. Never falls.
  void set_released(uint64_t sequence);
  uint64_t released() const;
  void add_lost(uint64_t count);
  uint64_t lost() const;
  void open_hole(const Hole& hole);
  void fill_hole(uint64_t count);
  Hole hole() const;
  void note_alive(base::Time now);
  // To disk; what a power failure must not take.
  Status sync();

 private:
  struct Page;
  explicit Account(Page* page);
  static std::optional<AccountBefore> read_before(const std::string& content, const std::string& kernel_boot_id);
  static std::string fresh_page(const std::string& boot_id);
  Page* page_;
  mutable std::mutex hole_mutex_;
  std::string boot_id_;
  std::optional<AccountBefore> before_;
};

}  // namespace redoubt::link
