// Package emulator is an EC2 Image Builder API that runs in memory and speaks the real wire
// protocol. Any client with a configurable endpoint can use it, including the AWS CLI and every SDK.
//
// Its content is a [Scenario], which says what exists at a given time and in which state. An
// [Account] is a Scenario made of pipelines, images and workflow executions. Answers depend only on
// the clock and on changes by callers, so tests are deterministic.
//
//	run := emulator.Run{ID: "wf-…", Start: start, Steps: steps}
//	api := &emulator.API{Scenario: emulator.Runs(run)}
//	server := httptest.NewServer(api)
//	// aws imagebuilder get-workflow-execution --endpoint-url $URL …
//
// Callers reach other accounts through roles, which they assume at the same endpoint, as with STS.
// Two ready-made scenarios never end: [Demo], small enough to read as a whole, and [Fleet], with
// hundreds of pipelines.
//
// The package imports nothing of the exporter, and you can use it for your own tests. For programs
// that are not written in Go, run emulator/cmd/imagebuilder-emulator. To read the code, start with
// [API] and the table of operations in emulator.go.
//
// # Operations
//
// The required parameter of an operation is in parentheses. It must have the form that the API
// reference specifies.
//
// Reads of what a Scenario holds:
//
//   - GetImage(imageBuildVersionArn)
//   - GetImagePipeline(imagePipelineArn)
//   - GetImageRecipe(imageRecipeArn) of a pipeline
//   - GetInfrastructureConfiguration(infrastructureConfigurationArn) of a pipeline
//   - GetWorkflowExecution(workflowExecutionId)
//   - GetWorkflowStepExecution(stepExecutionId)
//   - ListImageBuildVersions(imageVersionArn)
//   - ListImagePipelineImages(imagePipelineArn)
//   - ListImagePipelines()
//   - ListImageRecipes()
//   - ListImages()
//   - ListInfrastructureConfigurations()
//   - ListTagsForResource(resourceArn) of pipelines and images
//   - ListWaitingWorkflowSteps()
//   - ListWorkflowExecutions(imageBuildVersionArn)
//   - ListWorkflowStepExecutions(workflowExecutionId)
//
// ListImages has the versions of all images of a Scenario, but no images shared by other accounts.
// A FAILED image has a failureContext, which is derived from the failed execution and step.
// Attempt.Failure replaces it.
//
// All other read operations of the service are supported, but a Scenario has no content for them.
// These lists are empty:
//
//   - ListComponentBuildVersions()
//   - ListComponents()
//   - ListContainerRecipes()
//   - ListDistributionConfigurations()
//   - ListImagePackages(imageBuildVersionArn)
//   - ListImageScanFindingAggregations()
//   - ListImageScanFindings()
//   - ListLifecycleExecutions()
//   - ListLifecyclePolicies()
//   - ListWorkflowBuildVersions()
//   - ListWorkflows()
//
// These return ResourceNotFoundException:
//
//   - GetComponent(componentBuildVersionArn)
//   - GetComponentPolicy(componentArn)
//   - GetContainerRecipe(containerRecipeArn)
//   - GetContainerRecipePolicy(containerRecipeArn)
//   - GetDistributionConfiguration(distributionConfigurationArn)
//   - GetImagePolicy(imageArn)
//   - GetImageRecipePolicy(imageRecipeArn)
//   - GetLifecycleExecution(lifecycleExecutionId)
//   - GetLifecyclePolicy(lifecyclePolicyArn)
//   - GetMarketplaceResource(resourceArn)
//   - GetWorkflow(workflowBuildVersionArn)
//   - ListLifecycleExecutionResources(lifecycleExecutionId)
//
// Actions on a build that failed, hangs or waits. These operations change an Account. Other
// Scenarios reject them with ForbiddenException:
//
//   - StartImagePipelineExecution(imagePipelineArn) adds an image to the pipeline. It is built like
//     the newest one, and nothing fails. Its build number is above 100000, so it never collides
//     with a build of the Scenario.
//   - RetryImage(imageBuildVersionArn) repeats the incomplete executions of a FAILED or CANCELLED
//     image, and nothing fails. If all executions completed, it repeats the distribution.
//   - CancelImageCreation(imageBuildVersionArn) sets an image and its running executions to
//     CANCELLED. Executions that have not started are removed.
//   - SendWorkflowStepAction(stepExecutionId) ends a waiting step. With RESUME the execution
//     continues. With STOP the step fails, and so does the execution unless the step may fail.
//
// STS, at the same endpoint:
//
//   - AssumeRole(RoleArn) checks the external id, DurationSeconds and RoleSessionName.
//   - GetCallerIdentity()
//
// # What is checked
//
//   - Signature: every request needs a version 4 signature for the right service, with a date and
//     the signed headers host and x-amz-date. The emulator has no secret keys, so it accepts every
//     access key and does not verify the signature. The credentials of a role require their session
//     token, and they expire.
//   - Region: a request sees only the resources of the region that it is signed for.
//   - Ids and ARNs: if one is missing or malformed, the answer is InvalidParameterValueException
//     (InvalidRequestException for a change). If the resource does not exist, the answer is
//     ResourceNotFoundException.
//   - Pages: maxResults is from 1 to 25. A token is valid for one hour, and only for the same list,
//     filters and caller. Otherwise the answer is InvalidPaginationTokenException. Later pages show
//     the state at the time of the first page.
//   - Filters: unknown names and filters without values are answered with
//     InvalidParameterValueException. Lists of recipes and configurations, and the empty lists,
//     accept every name; their rows have a name, a platform and a version. Owners must be values of
//     the API reference.
//   - Changes: a client token is required. The same token returns the same answer and changes
//     nothing again. With other parameters it is answered with
//     IdempotentParameterMismatchException. Changes that the state of an image does not allow are
//     answered with InvalidRequestException or ResourceInUseException.
//
// Every error has a message that says what is wrong.
//
// # Limitations
//
// The emulator builds no images, and it cannot create, update or delete pipelines, recipes or
// configurations: these operations return UnknownOperationException. It does not evaluate IAM
// policies: callers may do everything unless API.Fault denies it. By default it does not throttle;
// see API.Throttle. It stores nothing on disk.
//
// The protocol is restJson1, version 2019-12-02:
// https://docs.aws.amazon.com/imagebuilder/latest/APIReference/.
package emulator
