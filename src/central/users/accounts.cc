#include "central/users/accounts.h"

#include <soci/soci.h>
#include <algorithm>

#include "base/hash.h"
#include "central/users/password.h"

namespace redoubt::central {

namespace {

constexpr size_t kTokenSecretBytes = 32;
constexpr std::string_view kTokenPrefix = "rdt_";

Status check_name(const std::string& name, std::string_view what) {
  const bool printable = std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kNameBytesMax && printable) return {};
  return fail(Errc::invalid_argument, std::string(what) + " has 1 to " + std::to_string(kNameBytesMax) +
                                          " characters, none of them a control character");
}

// What verify() compares with when the account does not exist, so that both ways take as long.
const std::string& hash_of_nobody() {
  static const std::string hash = hash_password(base::to_hex(base::random_bytes(kTokenSecretBytes))).value_or("");
  return hash;
}

Result<Account> account_of_row(const std::string& name, const std::string& role_name, const std::string& hash) {
  const std::optional<Role> role = role_named(role_name);
  if (!role) return fail(Errc::corrupt, "account '" + name + "' has the unknown role '" + role_name + "'");
  return Account{.name = name, .role = *role, .credential = hash.empty() ? "" : base::sha256_hex(hash)};
}

}  // namespace

Status Accounts::create(const Account& account, const std::string& password) {
  TRY_STATUS(check_name(account.name, "an account name"));
  TRY(const std::string hash, hash_password(password));
  const std::string role(name_of(account.role));
  const long long now_us = base::Time::now().us;
  return state_.write([&](soci::session& sql) -> Status {
    long long existing = 0;
    sql << "SELECT count(*) FROM users WHERE name = :name", soci::use(account.name), soci::into(existing);
    if (existing != 0) return fail(Errc::already_exists, "account '" + account.name + "' exists");
    sql << "INSERT INTO users (name, role, password_hash, created_us) VALUES (:name, :role, :hash, :created)",
        soci::use(account.name), soci::use(role), soci::use(hash), soci::use(now_us);
    return {};
  });
}

Status Accounts::set_password(const std::string& name, const std::string& password) {
  TRY(const std::string hash, hash_password(password));
  return state_.write([&](soci::session& sql) -> Status {
    soci::statement statement =
        (sql.prepare << "UPDATE users SET password_hash = :hash WHERE name = :name", soci::use(hash), soci::use(name));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) return fail(Errc::not_found, "no account '" + name + "'");
    return {};
  });
}

Result<Account> Accounts::verify(const std::string& name, const std::string& password) {
  std::string hash, role;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    sql << "SELECT password_hash, role FROM users WHERE name = :name", soci::use(name), soci::into(hash),
        soci::into(role);
    return {};
  }));
  const bool matches = password_matches(hash.empty() ? hash_of_nobody() : hash, password);
  if (hash.empty() || !matches) return fail(Errc::unauthenticated, "wrong account or password");
  return account_of_row(name, role, hash);
}

Result<Account> Accounts::find(const std::string& name) {
  std::string hash, role;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    sql << "SELECT password_hash, role FROM users WHERE name = :name", soci::use(name), soci::into(hash),
        soci::into(role);
    return {};
  }));
  if (role.empty()) return fail(Errc::not_found, "no account '" + name + "'");
  return account_of_row(name, role, hash);
}

Result<NewApiToken> Accounts::create_token(const std::string& account, const std::string& token_name) {
  TRY_STATUS(check_name(token_name, "a token name"));
  const std::string secret = std::string(kTokenPrefix) + base::to_hex(base::random_bytes(kTokenSecretBytes));
  const std::string hash = base::sha256_hex(secret);
  const base::Time now = base::Time::now();
  const long long now_us = now.us;
  long long id = 0;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    long long existing = 0;
    sql << "SELECT count(*) FROM api_tokens WHERE user_name = :account", soci::use(account), soci::into(existing);
    if (existing >= static_cast<long long>(kTokensPerAccountMax)) {
      return fail(Errc::exhausted, "account '" + account + "' has its most tokens: delete one first");
    }
    sql << "INSERT INTO api_tokens (user_name, name, token_hash, created_us) VALUES (:account, :name, :hash, :created)",
        soci::use(account), soci::use(token_name), soci::use(hash), soci::use(now_us);
    sql << "SELECT id FROM api_tokens WHERE token_hash = :hash", soci::use(hash), soci::into(id);
    return {};
  }));
  return NewApiToken{.token = {.id = std::to_string(id), .name = token_name, .created = now}, .secret = secret};
}

Result<std::vector<ApiToken>> Accounts::tokens(const std::string& account) {
  std::vector<ApiToken> tokens;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    long long id = 0, created_us = 0;
    std::string name;
    soci::statement statement =
        (sql.prepare << "SELECT id, name, created_us FROM api_tokens WHERE user_name = :account ORDER BY id",
         soci::into(id), soci::into(name), soci::into(created_us), soci::use(account));
    statement.execute();
    while (statement.fetch()) tokens.push_back({.id = std::to_string(id), .name = name, .created = {created_us}});
    return {};
  }));
  return tokens;
}

Status Accounts::remove_token(const std::string& account, const std::string& id) {
  return state_.write([&](soci::session& sql) -> Status {
    soci::statement statement =
        (sql.prepare << "DELETE FROM api_tokens WHERE user_name = :account AND CAST(id AS TEXT) = :id",
         soci::use(account), soci::use(id));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) return fail(Errc::not_found, "no token '" + id + "'");
    return {};
  });
}

Result<Account> Accounts::find_by_token(const std::string& secret) {
  const std::string hash = base::sha256_hex(secret);
  std::string name, role;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    sql << "SELECT u.name, u.role FROM api_tokens t JOIN users u ON u.name = t.user_name WHERE t.token_hash = :hash",
        soci::use(hash), soci::into(name), soci::into(role);
    return {};
  }));
  if (name.empty()) return fail(Errc::unauthenticated, "the API token is not known");
  return account_of_row(name, role, "");
}

}  // namespace redoubt::central
