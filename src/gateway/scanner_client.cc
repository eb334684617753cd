#include "gateway/scanner_client.h"

#include <openssl/x509.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "gateway/scan_answers.h"

namespace redoubt::gateway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using Clock = std::chrono::steady_clock;

constexpr unsigned kHttp11 = 11;
constexpr auto kTick = std::chrono::milliseconds(50);
constexpr auto kConnectTime = std::chrono::seconds(10);
constexpr auto kPieceTime = std::chrono::seconds(30);    // for the next piece of a file to be taken
constexpr auto kAnswerTime = std::chrono::seconds(120);  // from the last byte sent on
constexpr auto kIdleTime = std::chrono::seconds(3);      // servers close what is silent for longer
constexpr size_t kIdleMax = 64;
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kReasonBytesMax = 300;
constexpr int64_t kRetryAfterSecondsMax = 3600;
constexpr std::string_view kBoundaryDashes = "--";

// The HTTP statuses that say something of their own.
constexpr int kOk = 200;
constexpr int kNoContent = 204;
constexpr int kBadRequest = 400;
constexpr int kUnauthorized = 401;
constexpr int kNotFound = 404;
constexpr int kTooLarge = 413;
constexpr int kUnprocessable = 422;
constexpr int kTooManyRequests = 429;

struct Reply {
  int status = 0;
  std::string body;
  int64_t retry_after_ms = 0;
};

// A multipart body around the bytes of a file.
struct Upload {
  std::string boundary;
  std::string before;
  std::string after;
  int fd = -1;
  uint64_t size_bytes = 0;
  std::string sha256;  // of the bytes that were sent
};

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                       c == '-' || c == '.' || c == '~';
    plain ? out.append(1, c) : out.append("%").append(base::to_hex({&c, 1}));
  }
  return out;
}

std::string form_field(const std::string& boundary, std::string_view name, std::string_view value) {
  return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(value) + "\r\n";
}

int64_t retry_after_ms(std::string_view text) {
  int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);  // a date is no number: 0
  return std::clamp<int64_t>(seconds, 0, kRetryAfterSecondsMax) * 1000;
}

// One connection and one call at a time. The answer is read while the object is still being sent, since a node may
// refuse it at any moment. Everything runs in the caller's thread until it is done, its deadline, or the client's stop.
class Connection {
 public:
  Connection(const ScannerClientOptions& options, asio::ssl::context& tls, const std::atomic<bool>& stopped)
      : options_(options), stopped_(stopped), stream_(io_, tls) {}

  Status open() {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(options_.host, options_.port, error);
    if (error) return fail(Errc::unavailable, options_.host + ": " + error.message());
    error = finish(kConnectTime,
                   [&](auto done) { beast::get_lowest_layer(stream_).async_connect(endpoints, std::move(done)); });
    if (error) return fail(Errc::unavailable, "connect to " + peer() + ": " + error.message());
    if (options_.trust.by == ServerTrust::By::ca) {
      stream_.set_verify_callback(asio::ssl::host_name_verification(options_.host));
    }
    SSL_set_tlsext_host_name(stream_.native_handle(), options_.host.c_str());
    error = finish(kConnectTime,
                   [&](auto done) { stream_.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return fail(Errc::unavailable, "TLS with " + peer() + ": " + error.message());
    return compare_fingerprint();
  }

  Result<Reply> exchange(http::verb verb, const std::string& target, Upload* upload) {
    http::request<http::empty_body> request(verb, target, kHttp11);
    request.set(http::field::host, options_.host + ":" + options_.port);
    request.set(http::field::user_agent, "redoubt-gateway/" REDOUBT_VERSION);
    request.keep_alive(true);
    start_reading();
    error_code unsent;
    if (upload == nullptr) {
      unsent = finish(kPieceTime, [&](auto done) { http::async_write(stream_, request, std::move(done)); });
    } else {
      request.set(http::field::content_type, "multipart/form-data; boundary=" + upload->boundary);
      request.content_length(upload->before.size() + upload->size_bytes + upload->after.size());
      TRY(unsent, send(request, *upload));
    }
    return finish_reading(unsent);
  }

  // The connection may serve another call.
  bool is_reusable() const { return reusable_; }
  Clock::time_point used() const { return used_; }

 private:
  // Gives the network's error: an answer (too large, not approved) may have come in spite of it.
  Result<error_code> send(http::request<http::empty_body>& request, Upload& upload) {
    http::request_serializer<http::empty_body> head(request);
    error_code error = finish(kPieceTime, [&](auto done) { http::async_write_header(stream_, head, std::move(done)); });
    if (!error) error = send_bytes(upload.before);
    base::Sha256 hash;
    std::string piece(kPieceBytes, '\0');
    for (uint64_t at = 0; !error && at < upload.size_bytes;) {
      const size_t wanted = std::min<uint64_t>(piece.size(), upload.size_bytes - at);
      const ssize_t count = pread(upload.fd, piece.data(), wanted, static_cast<off_t>(at));
      if (count < 0) return base::fail_errno("read");
      if (count == 0) return fail(Errc::corrupt, "the file became shorter while it was sent");
      const std::string_view bytes(piece.data(), static_cast<size_t>(count));
      hash.update(bytes);
      error = send_bytes(bytes);
      at += static_cast<uint64_t>(count);
    }
    upload.sha256 = hash.finish_hex();
    if (!error) error = send_bytes(upload.after);
    return error;
  }

  error_code send_bytes(std::string_view bytes) {
    return finish(kPieceTime, [&](auto done) {
      asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), std::move(done));
    });
  }

  void start_reading() {
    reusable_ = false;
    unread_.reset();
    parser_.emplace();
    parser_->body_limit(kAnswerBytesMax);
    io_.restart();
    http::async_read(stream_, buffer_, *parser_, [this](error_code error, size_t) { unread_ = error; });
  }

  Result<Reply> finish_reading(error_code unsent) {
    const auto deadline = Clock::now() + kAnswerTime;
    while (!unread_ && !stopped_ && Clock::now() < deadline) io_.run_one_for(kTick);
    if (!unread_) return fail(Errc::unavailable, peer() + ": no answer in time");
    if (*unread_) return fail(Errc::unavailable, peer() + ": " + unread_->message());
    auto& answer = parser_->get();
    Reply reply{.status = static_cast<int>(answer.result_int()), .body = std::move(answer.body())};
    reply.retry_after_ms = retry_after_ms(answer[http::field::retry_after]);
    reusable_ = !unsent && answer.keep_alive();
    used_ = Clock::now();
    return reply;
  }

  // Runs what is started to its end. It is given up, and the connection with it, at the deadline, and where the answer
  // is there before the request.
  template <class Start>
  error_code finish(Clock::duration time, Start start) {
    const auto deadline = Clock::now() + time;
    std::optional<error_code> result;
    io_.restart();
    start([&result](error_code error, auto&&...) { result = error; });
    bool closed = false;
    while (!result) {
      io_.run_one_for(kTick);
      const bool go_on = !stopped_ && !unread_ && Clock::now() < deadline;
      if (result || go_on || closed) continue;
      closed = true;
      beast::get_lowest_layer(stream_).close();
    }
    return closed && *result ? error_code(asio::error::timed_out) : *result;
  }

  Status compare_fingerprint() {
    if (options_.trust.by != ServerTrust::By::fingerprint) return {};
    X509* certificate = SSL_get0_peer_certificate(stream_.native_handle());
    unsigned char* der = nullptr;
    const int size = certificate == nullptr ? 0 : i2d_X509(certificate, &der);
    const std::string seen =
        size <= 0 ? "" : base::sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
    OPENSSL_free(der);
    if (!seen.empty() && base::equal_secret(seen, options_.trust.value)) return {};
    return fail(Errc::permission_denied, peer() + " shows another certificate (fingerprint " + seen +
                                             ") than the configuration trusts (" + options_.trust.value + ")");
  }

  std::string peer() const { return options_.host + ":" + options_.port; }

  const ScannerClientOptions& options_;
  const std::atomic<bool>& stopped_;
  asio::io_context io_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::optional<error_code> unread_;  // how reading the answer ended
  bool reusable_ = false;
  Clock::time_point used_;
};

std::string reason_of(const Reply& reply) {
  return "HTTP " + std::to_string(reply.status) + (reply.body.empty() ? "" : ": ") +
         reply.body.substr(0, kReasonBytesMax);
}

Submitted submitted(Reply reply) {
  switch (reply.status) {
    case kOk: return {.answer = Answer::taken};
    case kUnauthorized: return {.answer = Answer::not_approved, .reason = reason_of(reply)};
    case kTooLarge: return {.answer = Answer::too_large, .reason = reason_of(reply)};
    case kBadRequest:
    case kUnprocessable: return {.answer = Answer::refused, .reason = reason_of(reply)};
    case kTooManyRequests:
      return {.answer = Answer::busy, .reason = reason_of(reply), .retry_after_ms = reply.retry_after_ms};
    default: return {.answer = Answer::away, .reason = reason_of(reply), .retry_after_ms = reply.retry_after_ms};
  }
}

tl::unexpected<Error> failed(const Reply& reply) {
  switch (reply.status) {
    case kUnauthorized: return fail(Errc::unauthenticated, reason_of(reply));
    case kNotFound: return fail(Errc::not_found, reason_of(reply));
    case kTooManyRequests: return fail(Errc::exhausted, reason_of(reply));
    default: return fail(Errc::unavailable, reason_of(reply));
  }
}

class ScannerClient final : public Scanner {
 public:
  explicit ScannerClient(ScannerClientOptions options)
      : options_(std::move(options)),
        tls_(asio::ssl::context::tls_client),
        base_("/kata/scanner/v1/sensors/" + percent_encoded(options_.system_id) + "/scans") {
    if (!options_.instance.empty()) query_ = "?sensorInstanceId=" + percent_encoded(options_.instance);
  }

  Status load() {
    SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
    error_code error;
    tls_.use_certificate_chain_file(options_.certificate_file, error);
    if (error) return fail(Errc::io, "certificate " + options_.certificate_file + ": " + error.message());
    tls_.use_private_key_file(options_.key_file, asio::ssl::context::pem, error);
    if (error) return fail(Errc::io, "key " + options_.key_file + ": " + error.message());
    const bool by_ca = options_.trust.by == ServerTrust::By::ca;
    // A fingerprint is compared after the handshake, before the first byte is sent.
    tls_.set_verify_mode(by_ca ? asio::ssl::verify_peer : asio::ssl::verify_none);
    if (by_ca) tls_.load_verify_file(options_.trust.value, error);
    if (error) return fail(Errc::io, "certificates " + options_.trust.value + ": " + error.message());
    return {};
  }

  Submitted submit(const Submission& submission) override {
    Upload upload{.boundary = "redoubt-" + base::to_hex(base::random_bytes(16)),
                  .fd = submission.fd,
                  .size_bytes = submission.size_bytes};
    upload.before =
        form_field(upload.boundary, "scanId", submission.scan_id) + form_field(upload.boundary, "objectType", "file");
    if (!options_.instance.empty()) upload.before += form_field(upload.boundary, "sensorInstanceId", options_.instance);
    // The file's own name would be the sender's bytes in our header.
    upload.before += "--" + upload.boundary +
                     "\r\nContent-Disposition: form-data; name=\"content\"; filename=\"object\"\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n";
    upload.after = "\r\n--" + upload.boundary + std::string(kBoundaryDashes) + "\r\n";
    auto reply = call(http::verb::post, base_ + query_, &upload);
    if (reply) {
      Submitted result = submitted(std::move(*reply));
      if (result.answer == Answer::taken) result.sha256 = std::move(upload.sha256);
      return result;
    }
    const Answer answer = reply.error().code == Errc::corrupt ? Answer::changed : Answer::away;
    return {.answer = answer, .reason = reply.error().message};
  }

  Result<std::vector<ScanResult>> states() override {
    TRY(const Reply reply, call(http::verb::get, base_ + "/state" + query_, nullptr));
    if (reply.status == kNoContent || reply.status == kNotFound) return std::vector<ScanResult>();
    if (reply.status != kOk) return failed(reply);
    return parse_states(reply.body);
  }

  Status forget(const std::string& scan_id) override {
    TRY(const Reply reply, call(http::verb::delete_, base_ + "/" + percent_encoded(scan_id) + query_, nullptr));
    const bool is_gone = reply.status == kOk || reply.status == kNoContent || reply.status == kNotFound;
    if (!is_gone) return failed(reply);
    return {};
  }

  Result<Filters> filters() override {
    TRY(const Reply reply, call(http::verb::get, base_ + "/filters" + query_, nullptr));
    if (reply.status != kOk) return failed(reply);
    return parse_filters(reply.body);
  }

  void stop() override { stopped_ = true; }

 private:
  Result<Reply> call(http::verb verb, const std::string& target, Upload* upload) {
    if (stopped_) return fail(Errc::unavailable, "the gateway stops");
    try {
      if (auto connection = idle_connection()) {
        auto reply = exchange(std::move(connection), verb, target, upload);
        // The server may have closed it meanwhile. An object is not sent twice under one id.
        if (reply || upload != nullptr) return reply;
      }
      auto connection = std::make_unique<Connection>(options_, tls_, stopped_);
      TRY_STATUS(connection->open());
      return exchange(std::move(connection), verb, target, upload);
    } catch (const std::exception& error) {
      return fail(Errc::unavailable, error.what());
    }
  }

  Result<Reply> exchange(std::unique_ptr<Connection> connection, http::verb verb, const std::string& target,
                         Upload* upload) {
    TRY(Reply reply, connection->exchange(verb, target, upload));
    if (connection->is_reusable()) keep(std::move(connection));
    return reply;
  }

  std::unique_ptr<Connection> idle_connection() {
    const std::lock_guard lock(mutex_);
    std::erase_if(idle_, [](const auto& connection) { return Clock::now() - connection->used() > kIdleTime; });
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  void keep(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(connection));
  }

  const ScannerClientOptions options_;
  asio::ssl::context tls_;
  const std::string base_;
  std::string query_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace

Result<std::unique_ptr<Scanner>> make_scanner_client(ScannerClientOptions options) {
  try {
    auto client = std::make_unique<ScannerClient>(std::move(options));
    TRY_STATUS(client->load());
    return client;
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

}  // namespace redoubt::gateway
