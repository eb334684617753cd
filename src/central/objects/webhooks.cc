#include "central/objects/webhooks.h"

#include <soci/soci.h>
#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "base/url.h"
#include "central/alerts/http_post.h"
#include "central/objects/object_rows.h"

namespace redoubt::central {

constexpr std::string_view kWebhooksSql = R"sql(
CREATE TABLE object_webhooks (
  object_id BIGINT PRIMARY KEY,
  url TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_us BIGINT NOT NULL
);
CREATE INDEX object_webhooks_by_time ON object_webhooks (next_us);
)sql";
const std::string_view kWebhooksMigration = kWebhooksSql;

namespace {

constexpr std::chrono::milliseconds kWebhookLook{500};
constexpr long long kWebhooksAtOnce = 32;
constexpr int kHttpOk = 200, kHttpRedirect = 300;

}  // namespace

Status may_post_to(const std::vector<std::string>& prefixes, const std::string& url) {
  if (prefixes.empty()) return fail(Errc::permission_denied, "webhooks are off: see the setting objects.webhooks");
  TRY_STATUS(base::parse_url(url));
  const bool is_allowed =
      std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) { return url.starts_with(prefix); });
  if (is_allowed) return {};
  return fail(Errc::permission_denied, "webhook: the address is none of those in the setting objects.webhooks");
}

void owe_webhook(soci::session& sql, const std::string& object_id, const std::string& url) {
  const long long object = object_row_id(object_id), none = 0;
  sql << "INSERT INTO object_webhooks (object_id, url, attempts, next_us) VALUES (:object, :url, :attempts, :next)",
      soci::use(object), soci::use(url), soci::use(none), soci::use(none);
}

void Webhooks::start() {
  thread_ = std::thread([this] { run(); });
}

void Webhooks::stop() {
  {
    const std::lock_guard lock(mutex_);
    life_ = Life::stops;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Webhooks::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kWebhookLook, [this] { return life_ == Life::stops; })) {
    lock.unlock();
    const auto owed = due(base::Time::now());
    if (!owed) base::log_error("objects", "webhooks: " + owed.error().message);
    for (const Owed& one : owed.value_or(std::vector<Owed>())) {
      const Status settled = settle(one, deliver(one));
      if (!settled) base::log_error("objects", "webhooks: " + settled.error().message);
      lock.lock();
      if (life_ == Life::stops) return;
      lock.unlock();
    }
    lock.lock();
  }
}

Result<std::vector<Webhooks::Owed>> Webhooks::due(base::Time now) {
  std::vector<Owed> owed;
  TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
    const long long now_us = now.us, most = kWebhooksAtOnce;
    long long attempts = 0;
    Owed one;
    soci::statement statement =
        (sql.prepare << "SELECT w.object_id, w.url, w.attempts FROM object_webhooks w JOIN objects o ON o.id = "
                        "w.object_id WHERE o.verdict <> 0 AND w.next_us <= :now ORDER BY w.next_us LIMIT :most",
         soci::into(one.object), soci::into(one.url), soci::into(attempts), soci::use(now_us), soci::use(most));
    statement.execute();
    while (statement.fetch()) {
      one.attempts = static_cast<int>(attempts);
      owed.push_back(one);
    }
    return {};
  }));
  return owed;
}

Status Webhooks::deliver(const Owed& owed) {
  std::optional<Object> object;
  TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
    object = read_object(sql, owed.object);
    return {};
  }));
  if (!object) return fail(Errc::not_found, "no such object");
  TRY(const auto post, HttpPost::make({.url = owed.url, .content_type = "application/json"}));
  TRY(const int status, post->post(parts_.render(*object)));
  if (status >= kHttpOk && status < kHttpRedirect) return {};
  return fail(Errc::unavailable, "the other side answers " + std::to_string(status));
}

Status Webhooks::settle(const Owed& owed, const Status& delivered) {
  const int attempts = owed.attempts + 1;
  const bool is_over = delivered || attempts >= kWebhookAttemptsMax;
  if (is_over && !delivered) {
    base::log_warning(
        "objects", "webhook of object " + std::to_string(owed.object) + " is given up: " + delivered.error().message);
  }
  if (is_over) {
    const std::string label = delivered ? "result=\"delivered\"" : "result=\"given up\"";
    parts_.metrics.counter("redoubt_object_webhooks_total", "verdicts posted to who asked for them", label).add();
  }
  const int64_t pause_us = std::min(kWebhookPauseUs << std::min(owed.attempts, 20), kWebhookPauseUsMax);
  return parts_.state.write([&](soci::session& sql) -> Status {
    if (is_over) {
      sql << "DELETE FROM object_webhooks WHERE object_id = :object", soci::use(owed.object);
      return {};
    }
    const long long tried = attempts, next_us = base::Time::now().us + pause_us;
    sql << "UPDATE object_webhooks SET attempts = :attempts, next_us = :next WHERE object_id = :object",
        soci::use(tried), soci::use(next_us), soci::use(owed.object);
    return {};
  });
}

}  // namespace redoubt::central
