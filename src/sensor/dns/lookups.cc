#include "sensor/dns/lookups.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sensor/network/network_decode.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kBetweenAnswers = "; ";
constexpr size_t kAnswersBytesMax = 4096;

// A question that is asked again over TCP, because the answer was too long for UDP, is another.
const char* transport_of(const rd_dns& raw) { return raw.stream == 0 ? "udp" : "tcp"; }

std::string question_key(const rd_dns& raw, const DnsMessage& message) {
  const rd_actor& actor = raw.head.actor;
  std::string key(reinterpret_cast<const char*>(&actor.start_ns), sizeof actor.start_ns);
  key.append(reinterpret_cast<const char*>(&actor.pid), sizeof actor.pid);
  return key + transport_of(raw) + message.type + ' ' + message.name;
}

std::string answers_text(const std::vector<DnsAnswer>& answers) {
  std::string text;
  for (const DnsAnswer& answer : answers) {
    if (text.size() + answer.text.size() > kAnswersBytesMax) break;
    if (!text.empty()) text += kBetweenAnswers;
    text += answer.text;
  }
  return text;
}

// The same records in another order are the same answer.
std::string order_free(const DnsMessage& message) {
  std::vector<std::string> texts;
  for (const DnsAnswer& answer : message.answers) texts.push_back(answer.text);
  std::sort(texts.begin(), texts.end());
  std::string all = message.response_code;
  for (const std::string& text : texts) all += '\n' + text;
  return all;
}

}  // namespace

Decoded Lookups::take(std::string_view record, int64_t now_ns, const Tell& tell) {
  constexpr size_t kMessageAt = offsetof(rd_dns, message);
  if (record.size() < kMessageAt) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_dns*>(record.data());
  if (raw.version != RD_IPV4 && raw.version != RD_IPV6) return Decoded::malformed;
  if (raw.message_bytes > record.size() - kMessageAt) return Decoded::malformed;
  const std::string_view bytes = record.substr(kMessageAt, raw.message_bytes);
  if (raw.stream == 0) {
    take_message(raw, bytes, now_ns, tell);
    return Decoded::yes;
  }
  const auto direction =
      raw.direction == RD_DNS_QUERY ? DnsStreams::Direction::to_server : DnsStreams::Direction::from_server;
  streams_.take({.connection = raw.stream, .direction = direction, .sequence = raw.sequence, .bytes = bytes}, now_ns,
                [&](std::string_view message) { take_message(raw, message, now_ns, tell); });
  return Decoded::yes;
}

void Lookups::take_message(const rd_dns& raw, std::string_view bytes, int64_t now_ns, const Tell& tell) {
  const auto message = parse_dns(bytes);
  if (!message) return;
  const bool is_answer = message->direction == DnsMessage::Direction::answer;
  if (is_answer != (raw.direction == RD_DNS_ANSWER)) return;
  if (is_answer) {
    take_answer(raw, *message, now_ns, tell);
  } else {
    take_query(raw, *message, tell);
  }
}

void Lookups::take_query(const rd_dns& raw, const DnsMessage& message, const Tell& tell) {
  std::string key = question_key(raw, message);
  if (const auto known = by_name_.find(key); known != by_name_.end()) {
    Question& question = *known->second;
    question.head = raw.head;
    question.id = message.id;
    ++question.repeats;
    return;
  }
  if (by_name_.size() >= questions_max_) drop_oldest(tell);
  questions_.push_back({.key = std::move(key),
                        .head = raw.head,
                        .server = address_text(raw.server, raw.version),
                        .server_port = raw.server_port,
                        .transport = transport_of(raw),
                        .name = message.name,
                        .type = message.type,
                        .id = message.id,
                        .begin_ns = raw.head.time_ns,
                        .answer = {}});
  by_name_.emplace(questions_.back().key, std::prev(questions_.end()));
  tell({.head = raw.head, .event = describe(questions_.back(), "query")});
}

void Lookups::take_answer(const rd_dns& raw, const DnsMessage& message, int64_t now_ns, const Tell& tell) {
  const auto known = by_name_.find(question_key(raw, message));
  if (known == by_name_.end()) return;
  Question& question = *known->second;
  // Another's packet could name any address: only an answer to the query, from the server that was asked, is one.
  if (message.id != question.id || question.server != address_text(raw.server, raw.version)) return;
  for (const DnsAnswer& answer : message.answers) {
    if (answer.kind == DnsAnswer::Kind::address) names_.learn(answer.text, message.name, answer.ttl_s, now_ns);
  }
  std::string answer = order_free(message);
  if (answer == question.answer) return;
  question.answer = std::move(answer);
  v1::Event event = describe(question, "answer");
  event.set_dns_response_code(message.response_code);
  if (!message.answers.empty()) event.set_dns_answers(answers_text(message.answers));
  tell({.head = raw.head, .event = std::move(event)});
}

void Lookups::expire(int64_t now_ns, const Tell& tell) {
  streams_.expire(now_ns);
  while (!questions_.empty() && now_ns - static_cast<int64_t>(questions_.front().begin_ns) >= kWindowNs) {
    drop_oldest(tell);
  }
}

void Lookups::drop_oldest(const Tell& tell) {
  const Question& question = questions_.front();
  if (question.repeats > 0) {
    v1::Event event = describe(question, "query");
    if (question.repeats > 1) event.set_event_count(static_cast<int64_t>(question.repeats));
    tell({.head = question.head, .since_ns = question.begin_ns, .event = std::move(event)});
  }
  by_name_.erase(question.key);
  questions_.pop_front();
}

v1::Event Lookups::describe(const Question& question, const char* action) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_DNS);
  event.set_event_action(action);
  event.set_network_transport(question.transport);
  event.set_dns_question_name(question.name);
  event.set_dns_question_type(question.type);
  event.set_destination_ip(question.server);
  event.set_destination_port(question.server_port);
  return event;
}

}  // namespace redoubt::sensor
