#include "central/fleet/policy_book.h"

#include <soci/soci.h>

#include <algorithm>
#include <array>

#include "base/address.h"
#include "base/text.h"

namespace redoubt::central {

namespace {

struct PolicyKindRow {
  PolicyKind kind;
  std::string_view name;
  std::vector<std::string> link::HostPolicy::* list;
};
constexpr std::array kPolicyKinds = {
    PolicyKindRow{PolicyKind::program, "program", &link::HostPolicy::programs},
    PolicyKindRow{PolicyKind::path, "path", &link::HostPolicy::paths},
    PolicyKindRow{PolicyKind::network, "network", &link::HostPolicy::networks},
};

Status check_path(const std::string& path) {
  if (!path.starts_with('/') || path == "/") {
    return fail(Errc::invalid_argument, "'" + path + "': an absolute path below / is wanted");
  }
  if (path.find("//") != std::string::npos || path.find("/../") != std::string::npos || path.ends_with("/..")) {
    return fail(Errc::invalid_argument, "'" + path + "': a path as the kernel knows it has no '//' and no '..'");
  }
  return {};
}

// Brings the value into the form that agents compare with.
Status check_value(PolicyExclusion& exclusion) {
  if (exclusion.value.empty() || exclusion.value.size() > link::kPolicyTextMax || !base::is_utf8(exclusion.value)) {
    return fail(Errc::invalid_argument, "value: 1 to 4096 bytes of UTF-8");
  }
  if (exclusion.kind == PolicyKind::network) {
    if (!base::is_prefix(exclusion.value)) {
      return fail(Errc::invalid_argument, "'" + exclusion.value + "' is no network such as 10.1.0.0/16 or fd00::/8");
    }
    return {};
  }
  while (exclusion.value.size() > 1 && exclusion.value.ends_with('/')) exclusion.value.pop_back();
  return check_path(exclusion.value);
}

}  // namespace

// The version rises with every change and never falls, whatever is removed.
constexpr std::string_view kPolicySql = R"sql(
CREATE TABLE policy_exclusions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  note TEXT NOT NULL,
  author TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE TABLE policy_version (
  version BIGINT NOT NULL
);
INSERT INTO policy_version (version) VALUES (0);
ALTER TABLE hosts ADD COLUMN next_certificate_fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN silent_alert TEXT NOT NULL DEFAULT '';
)sql";
const std::string_view kPolicyMigration = kPolicySql;
const std::string_view kPolicyReadsMigration = "CREATE TABLE policy_read_paths (pattern TEXT PRIMARY KEY);";

std::string_view name_of(PolicyKind kind) { return kPolicyKinds[static_cast<size_t>(kind)].name; }

std::optional<PolicyKind> policy_kind_named(std::string_view name) {
  for (const PolicyKindRow& row : kPolicyKinds) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

Result<std::unique_ptr<PolicyBook>> PolicyBook::open(store::StateDb& state) {
  std::unique_ptr<PolicyBook> book(new PolicyBook(state));
  TRY_STATUS(base::within("read the policy", book->load()));
  return book;
}

Status PolicyBook::load() {
  return state_.read([&](soci::session& sql) -> Status {
    long long version = 0;
    sql << "SELECT version FROM policy_version", soci::into(version);
    version_ = static_cast<uint64_t>(version);
    long long id = 0, created = 0;
    std::string kind;
    PolicyExclusion row;
    soci::statement statement =
        (sql.prepare << "SELECT id, kind, value, note, author, created_us FROM policy_exclusions ORDER BY id",
         soci::into(id), soci::into(kind), soci::into(row.value), soci::into(row.note), soci::into(row.author),
         soci::into(created));
    statement.execute();
    while (statement.fetch()) {
      const auto known = policy_kind_named(kind);
      if (!known) continue;  // of a newer node
      row.id = id;
      row.kind = *known;
      row.created = {created};
      exclusions_.push_back(row);
    }
    soci::rowset<std::string> patterns = (sql.prepare << "SELECT pattern FROM policy_read_paths ORDER BY pattern");
    read_paths_.assign(patterns.begin(), patterns.end());
    std::sort(read_paths_.begin(), read_paths_.end());  // whatever the database's order is
    return {};
  });
}

std::vector<PolicyExclusion> PolicyBook::list() const {
  const std::lock_guard lock(mutex_);
  return exclusions_;
}

Result<PolicyExclusion> PolicyBook::add(PolicyExclusion exclusion, const std::string& author) {
  TRY_STATUS(check_value(exclusion));
  exclusion.author = author;
  exclusion.created = base::Time::now();
  const std::lock_guard lock(mutex_);
  size_t of_kind = 0;
  for (const PolicyExclusion& other : exclusions_) {
    if (other.kind != exclusion.kind) continue;
    ++of_kind;
    if (other.value == exclusion.value) {
      return fail(Errc::already_exists, "exclusion " + std::to_string(other.id) + " says so already");
    }
  }
  if (of_kind >= link::kPolicyEntriesMax) return fail(Errc::exhausted, "there are 1024 exclusions of this kind");
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    const std::string kind(name_of(exclusion.kind));
    const long long created_us = exclusion.created.us;
    sql << "INSERT INTO policy_exclusions (kind, value, note, author, created_us)"
           " VALUES (:kind, :value, :note, :author, :created)",
        soci::use(kind), soci::use(exclusion.value), soci::use(exclusion.note), soci::use(exclusion.author),
        soci::use(created_us);
    long long id = 0;
    sql << "SELECT max(id) FROM policy_exclusions", soci::into(id);
    exclusion.id = id;
    sql << "UPDATE policy_version SET version = version + 1";
    return {};
  }));
  ++version_;
  exclusions_.push_back(exclusion);
  return exclusion;
}

Status PolicyBook::remove(int64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(exclusions_.begin(), exclusions_.end(), [id](const PolicyExclusion& row) { return row.id == id; });
  if (found == exclusions_.end()) return fail(Errc::not_found, "no exclusion '" + std::to_string(id) + "'");
  const long long row = id;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    sql << "DELETE FROM policy_exclusions WHERE id = :id", soci::use(row);
    sql << "UPDATE policy_version SET version = version + 1";
    return {};
  }));
  ++version_;
  exclusions_.erase(found);
  return {};
}

Status PolicyBook::ask_reads(std::vector<std::string> patterns) {
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  const std::lock_guard lock(mutex_);
  if (patterns == read_paths_) return {};
  if (patterns.size() > link::kPolicyEntriesMax) {
    return fail(Errc::exhausted, "rules ask about reads of " + std::to_string(patterns.size()) +
                                     " path patterns, and " + std::to_string(link::kPolicyEntriesMax) +
                                     " fit; the ones before go on");
  }
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    sql << "DELETE FROM policy_read_paths";
    for (const std::string& pattern : patterns) {
      sql << "INSERT INTO policy_read_paths (pattern) VALUES (:pattern)", soci::use(pattern);
    }
    sql << "UPDATE policy_version SET version = version + 1";
    return {};
  }));
  ++version_;
  read_paths_ = std::move(patterns);
  return {};
}

uint64_t PolicyBook::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

link::HostPolicy PolicyBook::compiled() const {
  const std::lock_guard lock(mutex_);
  link::HostPolicy policy{.version = version_};
  policy.read_paths = read_paths_;
  for (const PolicyExclusion& exclusion : exclusions_) {
    (policy.*kPolicyKinds[static_cast<size_t>(exclusion.kind)].list).push_back(exclusion.value);
  }
  return policy;
}

}  // namespace redoubt::central
