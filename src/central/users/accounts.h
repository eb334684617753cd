// Accounts and API tokens in the state database. Passwords and tokens are kept as hashes only. Any thread; verify()
// computes Argon2id and takes tens of milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/users/role.h"
#include "store/state/state_db.h"

namespace redoubt::central {

struct Account {
  std::string name;
  Role role = Role::auditor;
  std::string credential;  // another one after every change of the password; "" from find_by_token()
};

struct ApiToken {
  std::string id;
  std::string name;
  base::Time created;
};

struct NewApiToken {
  ApiToken token;
  std::string secret;  // "rdt_…"; shown once
};

constexpr size_t kTokensPerAccountMax = 100;
constexpr size_t kNameBytesMax = 128;

class Accounts {
 public:
  explicit Accounts(store::StateDb& state) : state_(state) {}

  // already_exists where there is one of that name.
  Status create(const Account& account, const std::string& password);
  Status set_password(const std::string& name, const std::string& password);
  // unauthenticated for an unknown account as for a wrong password, in the same time.
  Result<Account> verify(const std::string& name, const std::string& password);
  Result<Account> find(const std::string& name);

  Result<NewApiToken> create_token(const std::string& account, const std::string& token_name);
  Result<std::vector<ApiToken>> tokens(const std::string& account);
  // not_found where the account has no token of that id.
  Status remove_token(const std::string& account, const std::string& id);
  // The account whose token it is; unauthenticated where there is none.
  Result<Account> find_by_token(const std::string& secret);

 private:
  store::StateDb& state_;
};

}  // namespace redoubt::central
