/**
 * The routes of OpenAI's API (https://platform.openai.com/docs/api-reference), and of what compatible servers, Azure and
 * gateways have beside it. What is not listed neither takes words in nor gives any out. Pure.
 */
import type { OperationName } from '../protocol.ts';

/** `get` reads something back; `send` is every other method that may have an answer. */
export type Use = 'get' | 'send' | 'any';

export interface Route {
  readonly use: Use;
  /** The path's end; `*` stands for one segment. */
  readonly tail: readonly string[];
  readonly operation: OperationName;
}

/**
 * The first that fits counts, so what may call tools stands first. Reading a stored or background answer back by
 * its id gives the same object, tool calls included, so that is the same operation.
 */
export const routes: readonly Route[] = [
  // vLLM's: what a request becomes before a model reads it, in token ids.
  route('send', 'chat/completions/render', 'chat.completions.render'),
  route('send', 'completions/render', 'served.words'),
  // Perplexity's and Zhipu's for later: the request in a member of its own, the answer within what is said of it.
  route('send', 'async/chat/completions', 'hosted.model'),
  route('get', 'async/chat/completions/*', 'chat.completions.list'),
  route('send', 'v1/async/sonar', 'hosted.model'),
  route('get', 'v1/async/sonar/*', 'chat.completions.list'),
  route('get', 'async-result/*', 'chat.completions.list'),
  route('any', 'chat/completions/*', 'chat.completions'),
  route('send', 'chat/completions', 'chat.completions'),
  route('get', 'chat/completions', 'chat.completions.list'),
  route('get', 'chat/completions/*/messages', 'chat.completions.list'),
  // Perplexity's and MiniMax's own names for it.
  route('send', 'v1/sonar', 'chat.completions'),
  route('send', 'text/chatcompletion_v2', 'chat.completions'),
  // xAI's answers that are fetched later, and what OpenRouter keeps of one.
  route('get', 'chat/deferred-completion/*', 'chat.completions.list'),
  route('get', 'generation/content', 'chat.completions.list'),
  route('any', 'responses/input_tokens', 'responses.input_tokens'),
  route('any', 'responses/compact', 'responses.compact'),
  route('any', 'responses/*', 'responses'),
  route('any', 'responses/*/cancel', 'responses'),
  route('any', 'responses/*/input_items', 'responses.input_items'),
  route('send', 'responses', 'responses'),
  // Llama Stack's list of those that it keeps, each whole with what went in.
  route('get', 'responses', 'responses.input_items'),
  // Perplexity's own name for it (https://docs.perplexity.ai/docs/grounded-llm/openai-compatibility).
  route('send', 'v1/agent', 'responses'),
  route('any', 'v1/agent/*', 'responses'),
  route('any', 'v1/agent/*/cancel', 'responses'),
  // Llama Stack's own.
  route('send', 'inference/completion', 'hosted.model'),
  route('send', 'inference/embeddings', 'hosted.model'),
  route('send', 'completions', 'completions'),
  route('send', 'apps/*/completion', 'hosted.model'),
  route('send', 'completion', 'llamacpp.completion'),
  route('send', 'infill', 'llamacpp.completion'),
  route('send', 'api/v1/chat', 'lmstudio.chat'),
  route('send', 'inference/chat-completion', 'llamastack.chat'),
  // Writer's, in OpenAI's form, and Cohere's behind a gateway (https://docs.litellm.ai/docs/pass_through/cohere).
  route('send', 'v1/chat', 'served.any'),
  route('send', 'v2/chat', 'served.any'),
  // Vercel's gateway as the AI SDK asks it, whose form is the SDK's own.
  route('send', 'language-model', 'gateway.model'),
  route('send', 'embedding-model', 'served.words'),
  route('send', 'reranking-model', 'served.words'),
  route('send', 'image-model', 'images.generations'),
  route('send', 'video-model', 'videos'),
  route('send', 'video-model/start', 'videos'),
  route('send', 'speech-model', 'audio.speech'),
  route('send', 'transcription-model', 'audio.transcriptions'),
  route('send', 'ai/batch/start', 'hosted.model'),
  route('send', 'ai/batch/results', 'hosted.model'),
  // What vLLM, SGLang and Text Generation Inference offer besides; Ollama's is its own.
  route('send', 'api/generate', 'unknown'),
  route('send', 'generate', 'served.generate'),
  route('send', 'generate_stream', 'served.generate'),
  // What Triton and whoever speaks KServe's protocol do with any input.
  route('send', 'infer', 'served.generate'),
  // SGLang's, which makes calls of a text that a model wrote.
  route('send', 'parse_function_call', 'served.calls'),
  route('any', 'agents/automations/*/invocations', 'agents.sessions'),
  route('send', 'invocations', 'served.any'),
  route('send', 'rerank', 'served.words'),
  // Azure ML's endpoints answer there whatever is asked of them.
  route('send', 'score', 'served.any'),
  // vLLM's, which has a model say how likely each of some words comes next.
  route('send', 'generative_scoring', 'served.words'),
  route('send', 'classify', 'served.words'),
  route('send', 'pooling', 'served.words'),
  // SGLang's at Vertex AI, and what llama.cpp and Text Embeddings Inference make vectors and scores of.
  route('send', 'vertex_generate', 'served.generate'),
  route('send', 'api/embed', 'unknown'),
  route('send', 'embed', 'served.words'),
  route('send', 'encode', 'served.words'),
  route('send', 'tokenize', 'served.words'),
  route('send', 'tokenize-text', 'served.words'),
  route('send', 'chat_tokenize', 'chat.completions.render'),
  route('send', 'apply-template', 'chat.completions.render'),
  route('send', 'reranking', 'served.words'),
  route('send', 'similarity', 'served.words'),
  route('send', 'embed_sparse', 'served.words'),
  route('send', 'embed_all', 'served.words'),
  // Voyage's.
  route('send', 'contextualizedembeddings', 'served.words'),
  route('send', 'multimodalembeddings', 'served.words'),
  // Which models and adapters there are to ask: vLLM, SGLang, llama.cpp, LM Studio.
  route('send', 'load_lora_adapter', 'served.load'),
  route('send', 'models/load', 'served.load'),
  route('send', 'models/download', 'served.load'),
  // IBM's watsonx.ai, Replicate, Alibaba's Model Studio, Oracle's OCI, Snowflake's Cortex.
  route('send', 'text/chat', 'hosted.model'),
  route('send', 'text/chat_stream', 'hosted.model'),
  route('send', 'text/generation', 'hosted.model'),
  route('send', 'text/generation_stream', 'hosted.model'),
  route('any', 'predictions', 'hosted.model'),
  route('any', 'predictions/*', 'hosted.model'),
  route('send', 'predictions/*/cancel', 'hosted.model'),
  route('send', 'aigc/*/generation', 'hosted.model'),
  route('send', 'actions/chat', 'hosted.model'),
  route('send', 'actions/generatetext', 'hosted.model'),
  route('send', 'cortex/inference:complete', 'hosted.model'),
  route('send', 'cortex/agent:run', 'hosted.model'),
  // What an agent of Llama Stack's is told, and does.
  route('get', 'agents/*/sessions', 'agents.sessions'),
  route('get', 'agents/*/session/*', 'agents.sessions'),
  route('any', 'agents/*/session/*/turn', 'agents.sessions'),
  route('any', 'agents/*/session/*/turn/*', 'agents.sessions'),
  route('send', 'agents/*/session/*/turn/*/resume', 'agents.sessions'),
  route('any', 'threads/*/runs/*/steps', 'threads.runs.steps'),
  route('any', 'threads/*/runs/*/steps/*', 'threads.runs.steps'),
  route('any', 'threads/*/runs/*/submit_tool_outputs', 'threads.runs'),
  route('any', 'threads/*/runs/*/cancel', 'threads.runs'),
  route('any', 'threads/*/runs/*', 'threads.runs'),
  route('any', 'threads/*/runs', 'threads.runs'),
  route('any', 'threads/runs', 'threads.runs'),
  route('any', 'threads/*/messages', 'threads.messages'),
  route('any', 'threads/*/messages/*', 'threads.messages'),
  route('any', 'chatkit/threads/*/items', 'chatkit.threads'),
  route('any', 'conversations/*/items', 'conversations.items'),
  route('any', 'conversations/*/items/*', 'conversations.items'),
  route('any', 'evals/*/runs', 'evals.runs'),
  route('any', 'evals/*/runs/*', 'evals.runs'),
  route('any', 'evals/*/runs/*/output_items', 'evals.runs'),
  route('any', 'evals/*/runs/*/output_items/*', 'evals.runs'),
  route('get', 'agents/sessions/*/events', 'agents.sessions.stream'),
  route('any', 'agents/sessions', 'agents.sessions'),
  route('any', 'agents/sessions/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/turns/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/turns/*/items', 'agents.sessions'),
  route('any', 'agents/sessions/*/subagents/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/subagents/*/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/subagents/*/turns/*', 'agents.sessions'),
  route('any', 'agents/sessions/*/subagents/*/turns/*/items', 'agents.sessions'),
  route('any', 'agents/automations/*/invocations/*', 'agents.sessions'),
  route('send', 'agents', 'agents'),
  route('send', 'agents/*', 'agents'),
  route('send', 'agents/automations/*', 'agents'),
  route('send', 'agents/environments/templates', 'agents'),
  route('send', 'agents/environments/templates/*', 'agents'),
  // Azure's: a version has the instructions and the tools.
  route('send', 'agents/*/versions', 'agents'),
  route('any', 'vector_stores/*/search', 'vector_stores.search'),
  route('get', 'vector_stores/*/files/*/content', 'vector_stores.search'),
  // Perplexity's, and xAI's in documents.
  route('send', 'search', 'served.words'),
  route('send', 'decisions', 'decisions'),
  route('send', 'audio/transcriptions', 'audio.transcriptions'),
  route('send', 'audio/translations', 'audio.translations'),
  route('send', 'audio/speech', 'audio.speech'),
  route('send', 'audio/voices', 'audio.voices'),
  route('send', 'audio/voice_consents', 'audio.voices'),
  // ElevenLabs'.
  route('send', 'text-to-speech/*', 'audio.speech'),
  route('send', 'text-to-speech/*/stream', 'audio.speech'),
  route('send', 'text-to-speech/*/with-timestamps', 'audio.speech'),
  route('send', 'text-to-speech/*/stream/with-timestamps', 'audio.speech'),
  route('send', 'text-to-dialogue', 'served.words'),
  route('send', 'text-to-dialogue/stream', 'served.words'),
  route('send', 'sound-generation', 'audio.speech'),
  // MiniMax's.
  route('send', 't2a_v2', 'audio.speech'),
  route('send', 'image_generation', 'images.generations'),
  route('send', 'video_generation', 'videos'),
  // xAI's names for speaking and listening.
  route('send', 'tts', 'audio.speech'),
  route('send', 'stt', 'audio.transcriptions'),
  route('send', 'embeddings', 'embeddings'),
  route('send', 'embedding', 'embeddings'),
  route('send', 'moderations', 'moderations'),
  route('send', 'images/generations', 'images.generations'),
  route('send', 'images/edits', 'images.edits'),
  route('send', 'images/variations', 'images.variations'),
  // OpenRouter's, and xAI's.
  route('send', 'v1/images', 'images.generations'),
  route('send', 'videos/generations', 'videos'),
  route('send', 'videos', 'videos'),
  route('send', 'videos/edits', 'videos'),
  route('send', 'videos/extensions', 'videos'),
  route('send', 'videos/characters', 'videos'),
  route('send', 'videos/*/remix', 'videos'),
  route('send', 'video/generations/jobs', 'videos'),
  route('send', 'assistants', 'assistants'),
  route('send', 'assistants/*', 'assistants'),
  route('send', 'threads', 'threads'),
  route('send', 'threads/*', 'threads'),
  route('send', 'conversations', 'conversations'),
  route('send', 'conversations/*', 'conversations'),
  route('send', 'conversations/*/restart', 'conversations'),
  route('send', 'chatkit/sessions', 'chatkit.sessions'),
  route('send', 'realtime/sessions', 'realtime.sessions'),
  route('send', 'realtime/transcription_sessions', 'realtime.sessions'),
  route('send', 'realtime/client_secrets', 'realtime.sessions'),
  route('send', 'realtime/translations/client_secrets', 'realtime.sessions'),
  route('send', 'realtime/client-secrets', 'realtime.sessions'),
  route('send', 'realtime/calls', 'realtime.calls'),
  // Where a WebRTC call was offered before the API was final, and still is elsewhere.
  route('send', 'realtime', 'realtime.calls'),
  route('send', 'realtime/calls/*/accept', 'realtime.calls'),
  route('send', 'live/sessions', 'realtime.sessions'),
  route('send', 'live/sessions/*/accept', 'realtime.calls'),
  route('send', 'live/sessions/*/fork', 'realtime.sessions'),
  route('send', 'containers/*/files', 'containers'),
  route('send', 'vector_stores/*/files', 'vector_stores'),
  route('send', 'files', 'files'),
  route('send', 'uploads', 'uploads'),
  route('send', 'uploads/*/parts', 'uploads'),
  route('send', 'uploads/*/complete', 'uploads'),
  route('send', 'containers', 'containers'),
  route('send', 'skills', 'skills'),
  route('send', 'skills/*', 'skills'),
  route('send', 'skills/*/versions', 'skills'),
  route('send', 'vector_stores', 'vector_stores'),
  route('send', 'vector_stores/*', 'vector_stores'),
  route('send', 'vector_stores/*/file_batches', 'vector_stores'),
  // Azure's, where what an agent is to remember is written down by a model, and looked up.
  route('send', 'memory_stores', 'memories'),
  route('send', 'memory_stores/*', 'memories'),
  route('send', 'memory_stores/*/items', 'memories'),
  route('send', 'memory_stores/*/items/*', 'memories'),
  // Anthropic's, which many servers speak too.
  route('any', 'messages/batches', 'unknown'),
  route('any', 'messages/batches/*', 'unknown'),
  route('any', 'messages/batches/*/results', 'unknown'),
  route('send', 'batches', 'batches'),
  // Fireworks'.
  route('send', 'batchinferencejobs', 'batches'),
  // xAI's, and gateways' that have answers in pages.
  route('send', 'batches/*/requests', 'batches'),
  route('get', 'batches/*', 'batches.outputs'),
  route('get', 'batches/*/results', 'batches.outputs'),
  route('get', 'batches/*/results/*', 'batches.outputs'),
  // Together's.
  route('send', 'evaluation', 'evals.runs'),
  route('send', 'evals', 'evals'),
  route('send', 'evals/*', 'evals'),
  route('send', 'fine_tuning/jobs', 'fine_tuning'),
  route('send', 'fine_tuning/alpha/graders/*', 'fine_tuning'),
  // Together's, Cohere's, and Fireworks'.
  route('send', 'fine-tunes', 'fine_tuning'),
  route('send', 'finetuning/finetuned-models', 'fine_tuning'),
  route('send', 'supervisedfinetuningjobs', 'fine_tuning'),
  route('send', 'dpojobs', 'fine_tuning'),
  route('send', 'reinforcementfinetuningjobs', 'fine_tuning'),
  route('send', 'evaluationjobs', 'fine_tuning'),
  route('get', 'files/*/content', 'files.content'),
  route('get', 'videos/*/content', 'content'),
  route('get', 'video/generations/*/content/*', 'content'),
  route('get', 'skills/*/content', 'content'),
  route('get', 'skills/*/versions/*/content', 'content'),
  route('get', 'artifacts/*/content', 'content'),
];

export function route(use: Use, path: string, operation: OperationName): Route {
  return { use, tail: path.split('/'), operation };
}
