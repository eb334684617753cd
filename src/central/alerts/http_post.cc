#include "central/alerts/http_post.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

#include "base/url.h"

namespace redoubt::central {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using base::Url;
using beast::error_code;

constexpr unsigned kHttp11 = 11;

tl::unexpected<Error> failed(const std::string& what, const error_code& error) {
  if (error == beast::error::timeout) return fail(Errc::timeout, what + ": no answer in time");
  return fail(Errc::unavailable, what + ": " + error.message());
}

}  // namespace

class HttpPost::Impl {
 public:
  Impl(Url url, Options options) : url_(std::move(url)), options_(std::move(options)) {}

  Status open_tls() {
    if (url_.scheme == Url::Scheme::http) return {};
    tls_.emplace(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    tls_->set_verify_mode(asio::ssl::verify_peer);
    error_code error;
    if (options_.ca_file.empty()) {
      tls_->set_default_verify_paths(error);
    } else {
      tls_->load_verify_file(options_.ca_file, error);
    }
    if (error) return fail(Errc::io, "certificates " + options_.ca_file + ": " + error.message());
    return {};
  }

  Result<int> post(const std::string& body) {
    if (!tls_) {
      beast::tcp_stream stream(io_);
      TRY_STATUS(connect(stream));
      return exchange(stream, body);
    }
    beast::ssl_stream<beast::tcp_stream> stream(io_, *tls_);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    TRY_STATUS(connect(beast::get_lowest_layer(stream)));
    const error_code error =
        finish([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return failed("TLS with " + url_.authority, error);
    return exchange(stream, body);
  }

 private:
  Status connect(beast::tcp_stream& stream) {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (error) return fail(Errc::unavailable, url_.host + ": " + error.message());
    stream.expires_after(std::chrono::milliseconds(kPostTimeMs));
    error = finish([&](auto done) { stream.async_connect(endpoints, std::move(done)); });
    if (error) return failed("connect to " + url_.authority, error);
    return {};
  }

  template <class Stream>
  Result<int> exchange(Stream& stream, const std::string& body) {
    http::request<http::string_body> request(http::verb::post, url_.target, kHttp11);
    request.set(http::field::host, url_.authority);
    request.set(http::field::content_type, options_.content_type);
    request.set(http::field::user_agent, "redoubtd/" REDOUBT_VERSION);
    request.keep_alive(false);
    request.body() = body;
    request.prepare_payload();
    beast::get_lowest_layer(stream).expires_after(std::chrono::milliseconds(kPostTimeMs));
    const error_code unsent = finish([&](auto done) { http::async_write(stream, request, std::move(done)); });
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kPostAnswerMax);
    const error_code unread = finish([&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
    // The status is what counts, even where its body does not come.
    if (!parser.is_header_done()) return failed("post to " + url_.authority, unsent ? unsent : unread);
    return static_cast<int>(parser.get().result_int());
  }

  // Runs one operation to its end.
  template <class Start>
  error_code finish(Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  const Url url_;
  const Options options_;
  asio::io_context io_;
  std::optional<asio::ssl::context> tls_;
};

Result<std::unique_ptr<HttpPost>> HttpPost::make(const Options& options) {
  TRY(Url url, base::parse_url(options.url));
  auto impl = std::make_unique<Impl>(std::move(url), options);
  TRY_STATUS(impl->open_tls());
  return std::unique_ptr<HttpPost>(new HttpPost(std::move(impl)));
}

Result<int> HttpPost::post(const std::string& body) {
  try {
    return impl_->post(body);
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

HttpPost::HttpPost(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpPost::~HttpPost() = default;

}  // namespace redoubt::central
