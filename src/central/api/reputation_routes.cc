// The private reputation service: what is known of a hash, an address, a domain or a URL, and who says so.
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kEntriesDefault = 100;
constexpr size_t kSourceNameMax = 64;
constexpr size_t kReputationNameMax = 16;

ordered_json entry_json(const ReputationEntry& entry) {
  return {{"id", entry.id},
          {"kind", name_of(entry.indicator.kind)},
          {"value", entry.indicator.value},
          {"reputation", name_of(entry.reputation)},
          {"source", entry.source},
          {"note", entry.note},
          {"added", base::format_time(entry.added)}};
}

Result<Indicator> indicator_in(std::string_view text) {
  auto indicator = read_indicator(text);
  if (indicator) return *std::move(indicator);
  return fail(Errc::invalid_argument, "'value': a hash (MD5, SHA-1, SHA-256), an address, a domain or a URL");
}

Result<Reputation> said_in(std::string_view text) {
  const auto reputation = reputation_named(text);
  if (reputation && *reputation != Reputation::unknown) return *reputation;
  return fail(Errc::invalid_argument, "'reputation': good or bad");
}

Result<ReputationEntry> try_add_entry(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"value", "reputation", "note"}));
  TRY(const std::string value, body.text("value", {.bytes_min = 1, .bytes_max = kIndicatorBytesMax}));
  TRY(const std::string word, body.text("reputation", {.bytes_min = 1, .bytes_max = kReputationNameMax}));
  TRY(const auto note, body.optional_text("note", {.bytes_max = kFeedNoteBytesMax}));
  TRY(const Indicator indicator, indicator_in(value));
  TRY(const Reputation reputation, said_in(word));
  return services.reputation.add(indicator, reputation, note.value_or(""), request.actor.user);
}

class FeedBody final : public BodySink {
 public:
  FeedBody(ReputationBook& book, std::string source, Reputation reputation)
      : book_(book), source_(std::move(source)), reputation_(reputation) {}

  Status write(std::string_view bytes) override {
    if (feed_.size() + bytes.size() > kFeedBytesMax) return fail(Errc::too_large, "body: larger than a feed may be");
    feed_ += bytes;
    return {};
  }
  Response finish() override {
    const auto report = book_.import(source_, reputation_, feed_);
    if (!report) return error_response(report.error());
    return json_response({{"source", source_},
                          {"format", report->format},
                          {"added", report->added},
                          {"removed", report->removed},
                          {"skipped", report->skipped},
                          {"reasons", report->reasons}});
  }

 private:
  ReputationBook& book_;
  const std::string source_;
  const Reputation reputation_;
  std::string feed_;
};

Result<int64_t> entry_number(std::string_view text) {
  int64_t number = std::numeric_limits<int64_t>::max();
  if (text.empty()) return number;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && stop == text.data() + text.size() && number > 0) return number;
  return fail(Errc::invalid_argument, "cursor is none of ours");
}

}  // namespace

Response get_reputation(Services& services, const Request& request) {
  const Status known = only_query_keys(request, {"value"});
  if (!known) return error_response(known.error());
  const auto indicator = indicator_in(request.query_value("value"));
  if (!indicator) return error_response(indicator.error());
  const auto word = services.reputation.ask(*indicator);
  if (!word) return error_response(word.error());
  ordered_json entries = ordered_json::array();
  for (const ReputationEntry& entry : word->entries) entries.push_back(entry_json(entry));
  return json_response({{"kind", name_of(indicator->kind)},
                        {"value", indicator->value},
                        {"reputation", name_of(word->reputation)},
                        {"entries", std::move(entries)}});
}

Response list_reputation(Services& services, const Request& request) {
  const Status known = only_query_keys(request, {"source", "limit", "cursor"});
  if (!known) return error_response(known.error());
  const auto limit = query_integer(request, "limit", {kEntriesDefault, 1, kReputationPageMax});
  if (!limit) return error_response(limit.error());
  const auto before = entry_number(request.query_value("cursor"));
  if (!before) return error_response(before.error());
  const auto entries =
      services.reputation.list(std::string(request.query_value("source")), *before, static_cast<size_t>(*limit));
  if (!entries) return error_response(entries.error());
  ordered_json json = {{"entries", ordered_json::array()}};
  for (const ReputationEntry& entry : *entries) json["entries"].push_back(entry_json(entry));
  if (entries->size() == static_cast<size_t>(*limit)) json["next_cursor"] = entries->back().id;
  return json_response(json);
}

Response add_reputation_entry(Services& services, const Request& request) {
  const auto entry = try_add_entry(services, request);
  if (!entry) return error_response(entry.error());
  Response response = json_response(entry_json(*entry), 201);
  response.audit_note = std::string(name_of(entry->reputation)) + " " + entry->indicator.value;
  return response;
}

Response remove_reputation_entry(Services& services, const Request& request) {
  const Status done = services.reputation.remove(request.path_parameters[0]);
  return done ? no_content() : error_response(done.error());
}

Response list_reputation_sources(Services& services, const Request&) {
  const auto sources = services.reputation.sources();
  if (!sources) return error_response(sources.error());
  ordered_json list = ordered_json::array();
  for (const ReputationSource& source : *sources) {
    list.push_back({{"name", source.name}, {"entries", source.entries}, {"latest", base::format_time(source.latest)}});
  }
  return json_response({{"sources", std::move(list)}});
}

Result<std::unique_ptr<BodySink>> import_reputation(Services& services, const Request& request) {
  TRY_STATUS(only_query_keys(request, {"reputation"}));
  const std::string& source = request.path_parameters[0];
  if (source.size() > kSourceNameMax) return fail(Errc::invalid_argument, "source: a name of at most 64 bytes");
  const std::string_view word = request.query_value("reputation");
  TRY(const Reputation reputation, said_in(word.empty() ? "bad" : word));
  return std::make_unique<FeedBody>(services.reputation, source, reputation);
}

Response remove_reputation_source(Services& services, const Request& request) {
  const auto removed = services.reputation.remove_source(request.path_parameters[0]);
  return removed ? json_response({{"removed", *removed}}) : error_response(removed.error());
}

}  // namespace redoubt::central
