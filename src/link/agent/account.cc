#include "link/agent/account.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::link {

namespace {

constexpr uint64_t kAccountMagic = 0x31544343'41545252;  // "RRTACCT1"
constexpr size_t kBootIdMax = 95;
constexpr size_t kEpochBytes = 4;
constexpr size_t kFileBytesMax = 4096;

using Counter = std::atomic<uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == sizeof(uint64_t));

void raise_to(Counter& counter, uint64_t least) {
  uint64_t now = counter;
  while (now < least && !counter.compare_exchange_weak(now, least)) {
  }
}

}  // namespace

// The file's content; same byte order and layout on the machine that wrote it.
struct Account::Page {
  uint64_t magic;
  char boot_id[kBootIdMax + 1];
  Counter numbered;
  Counter released;
  Counter lost;
  Counter alive_us;
  Counter hole_first;
  Counter hole_last;
  Counter hole_count;
};

std::optional<AccountBefore> Account::read_before(const std::string& content, const std::string& kernel_boot_id) {
  const auto number = [&](size_t offset) {
    uint64_t value = 0;
    std::memcpy(&value, content.data() + offset, sizeof value);
    return value;
  };
  if (content.size() != sizeof(Page) || number(offsetof(Page, magic)) != kAccountMagic) return std::nullopt;
  std::string boot_id = content.substr(offsetof(Page, boot_id), kBootIdMax);
  boot_id.resize(std::min(boot_id.size(), boot_id.find('\0')));
  const bool same = boot_id == kernel_boot_id || boot_id.starts_with(kernel_boot_id + "-");
  return AccountBefore{.boot = same ? AccountBefore::Boot::same : AccountBefore::Boot::earlier,
                       .boot_id = boot_id,
                       .numbered = number(offsetof(Page, numbered)),
                       .released = number(offsetof(Page, released)),
                       .alive = {static_cast<int64_t>(number(offsetof(Page, alive_us)))},
                       .hole = {.first = number(offsetof(Page, hole_first)),
                                .last = number(offsetof(Page, hole_last)),
                                .count = number(offsetof(Page, hole_count))}};
}

std::string Account::fresh_page(const std::string& boot_id) {
  std::string page(sizeof(Page), '\0');
  std::memcpy(page.data(), &kAccountMagic, sizeof kAccountMagic);
  std::memcpy(page.data() + offsetof(Page, boot_id), boot_id.data(), boot_id.size());
  return page;
}

Result<std::unique_ptr<Account>> Account::open(const std::string& path, const std::string& kernel_boot_id,
                                               DataDir dir) {
  if (kernel_boot_id.empty() || kernel_boot_id.size() + 1 + 2 * kEpochBytes > kBootIdMax) {
    return fail(Errc::invalid_argument, "boot id must have 1 to 86 bytes");
  }
  const auto content = base::read_file(path, kFileBytesMax);
  const bool missing = !content && content.error().code == Errc::not_found;
  if (!content && !missing) return tl::unexpected<Error>(content.error());
  const auto before = content ? read_before(*content, kernel_boot_id) : std::nullopt;
  std::string boot_id = kernel_boot_id;
  if (before && before->boot == AccountBefore::Boot::same) {
    boot_id = before->boot_id;
  } else {
    const bool unreadable = !before && (content || dir == DataDir::used_before);
    if (unreadable) boot_id += "-" + base::to_hex(base::random_bytes(kEpochBytes));
    TRY_STATUS(base::write_file_atomic(path, fresh_page(boot_id), base::kPrivateFile));
  }
  const base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path);
  void* const map = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return base::fail_errno("map " + path);
  std::unique_ptr<Account> account(new Account(static_cast<Page*>(map)));
  account->boot_id_ = std::move(boot_id);
  account->before_ = before;
  return account;
}

Account::Account(Page* page) : page_(page) {}

Account::~Account() { munmap(page_, sizeof(Page)); }

uint64_t Account::give_number() { return page_->numbered.fetch_add(1, std::memory_order_relaxed) + 1; }
uint64_t Account::numbered() const { return page_->numbered.load(std::memory_order_relaxed); }
void Account::skip_numbers_to(uint64_t sequence) { raise_to(page_->numbered, sequence); }
void Account::set_released(uint64_t sequence) { raise_to(page_->released, sequence); }
uint64_t Account::released() const { return page_->released.load(std::memory_order_relaxed); }
void Account::add_lost(uint64_t count) { page_->lost.fetch_add(count, std::memory_order_relaxed); }
uint64_t Account::lost() const { return page_->lost.load(std::memory_order_relaxed); }
void Account::note_alive(base::Time now) {
  page_->alive_us.store(static_cast<uint64_t>(now.us), std::memory_order_relaxed);
}

void Account::open_hole(const Hole& hole) {
  const std::lock_guard lock(hole_mutex_);
  // The count is stored last: a hole is there once its range is.
  const bool open = page_->hole_count != 0;
  page_->hole_first = open ? std::min(page_->hole_first.load(), hole.first) : hole.first;
  page_->hole_last = open ? std::max(page_->hole_last.load(), hole.last) : hole.last;
  page_->hole_count += hole.count;
}

void Account::fill_hole(uint64_t count) {
  const std::lock_guard lock(hole_mutex_);
  page_->hole_count -= std::min(page_->hole_count.load(), count);
}

Hole Account::hole() const {
  const std::lock_guard lock(hole_mutex_);
  return {.first = page_->hole_first, .last = page_->hole_last, .count = page_->hole_count};
}

Status Account::sync() {
  if (msync(page_, sizeof(Page), MS_SYNC) != 0) return base::fail_errno("sync account");
  return {};
}

}  // namespace redoubt::link
